"""The model card says what the figures say."""

from __future__ import annotations

import pytest

from imforensics.models.classifier.bundle import load_bundle
from imforensics.models.classifier.card import format_classifier_card
from imforensics.models.classifier.manifest import BundleManifest

MANIFEST = load_bundle("casia1_ela_cnn_paper").manifest


def changed(
    *, accuracy: float | None = None, auc_low: float | None = None, thresholds: object = ...
) -> BundleManifest:
    """The shipped manifest with another look-up, another twin interval or other label thresholds."""
    content = MANIFEST.model_dump(mode="json")
    if accuracy is not None:
        content["shortcut"]["accuracy"] = accuracy
    if auc_low is not None:
        for item in content["measurements"]:
            item["intervals"]["auc"] = [auc_low, 0.9]
    if thresholds is not ...:
        content["calibration"]["thresholds"] = thresholds
    return BundleManifest.model_validate(content)


@pytest.mark.parametrize(("accuracy", "beats"), [(1.0, True), (0.3, False)])
def test_whether_the_lookup_wins(accuracy: float, beats: bool) -> None:
    card = format_classifier_card(changed(accuracy=accuracy), title="made", photos=None)
    assert ("**The header baseline beats the network**" in card) == beats


@pytest.mark.parametrize(("low", "guess"), [(0.48, True), (0.5, True), (0.55, False)])
def test_whether_it_is_better_than_guessing_on_twins(low: float, guess: bool) -> None:
    card = format_classifier_card(changed(auc_low=low), title="made", photos=None)
    assert ("not clearly better than chance" in card) == guess


def test_label_thresholds_are_told_with_their_notes() -> None:
    thresholds = {"policy": "far_2pct", "tampered_above": 0.75, "authentic_below": None, "notes": ["Why."]}
    card = format_classifier_card(changed(thresholds=thresholds), title="made", photos="Photographs")
    assert "tampered above 0.7500, authentic below none" in card
    assert "    - Why." in card
    assert "No label is given" in format_classifier_card(changed(thresholds=None), title="made", photos=None)


def test_figures_stand_in_the_table() -> None:
    card = format_classifier_card(MANIFEST, title="made", photos=None)
    for pairs in ("raw", "twin", "exact_twin"):
        item = MANIFEST.find_measurement(pairs)  # type: ignore[arg-type]
        assert item is not None
        low, high = item.intervals["auc"]
        assert f"{item.metrics['auc']:.3f} [{low:.3f}, {high:.3f}]" in card
        assert f"{int(item.metrics['tp'])} tampered found" in card
