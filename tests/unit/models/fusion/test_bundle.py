"""A fusion on disk: what was written is read, and nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from imforensics.errors import BundleError
from imforensics.metrics.calibration import Calibration, Conditions, LabelThresholds
from imforensics.metrics.calibration_curves import PlattCurve
from imforensics.metrics.fusion_model import FusionInput, FusionModel
from imforensics.models.fusion.bundle import (
    FUSION_FILE,
    FusedMethod,
    FusionManifest,
    FusionProvenance,
    FusionSource,
    dump_fusion,
    list_fusions,
    load_fusion,
)


def make_manifest() -> FusionManifest:
    calibration = Calibration(
        curve=PlattCurve(slope=1 / 3, intercept=0.1),
        population="made images",
        protocol="twin",
        n_authentic=50,
        n_tampered=50,
        log10_lr_bounds=(-1.7, 1.7),
        thresholds=LabelThresholds(tampered_above=0.9, policy="far_2pct_miss_5pct"),
        conditions=Conditions(requires_jpeg=True, min_side=64, max_pixels=100_000),
    )
    source = FusionSource(dataset="casia1", split="val", role="twins", trials=4, used=2, left_out={"odd": 2})
    return FusionManifest(
        name="made",
        pairs="exact_twin",
        methods={
            "ela": FusedMethod(options={"quality": 90}, bundles={"net": "ab"}),
            "noise": FusedMethod(options={"block": 16}),
        },
        model=FusionModel(
            inputs=(
                FusionInput(method="ela", mean=0.1, scale=1.3, weight=0.7),
                FusionInput(method="noise", mean=0.1, scale=1.3, weight=0.0),
            ),
            intercept=0.0,
            calibration=calibration,
        ),
        provenance=FusionProvenance(
            created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            command=("imforensics", "train-fusion"),
            tool_version="0",
            commit=None,
            config_digest="0" * 64,
            seed=1,
            sources=(source,),
            versions={"python": "3"},
        ),
    )


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / FUSION_FILE).write_text(text, encoding="utf-8")
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "made", dump_fusion(make_manifest()))
    fusion = load_fusion(folder)
    assert fusion.manifest == make_manifest()
    assert fusion.name == "made"
    assert load_fusion(str(folder)).digest == fusion.digest
    assert len(fusion.digest) == 64


@pytest.mark.parametrize(
    ("old", "new"), [("slope: 0.333", "slope: 0.334"), ("weight: 0.7", "weight: 0.9"), ("used: 2", "used: 4")]
)
def test_a_changed_value_is_noticed(tmp_path: Path, old: str, new: str) -> None:
    text = dump_fusion(make_manifest())
    assert old in text
    folder = write(tmp_path / "made", text.replace(old, new))
    with pytest.raises(BundleError, match="was changed after it was made"):
        load_fusion(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("- 1", "schema_version None, expected 2"),
        ("schema_version: 7", "schema_version 7, expected 2"),
        ("schema_version: 1\nname: 2020-01-01", "was changed after it was made"),
    ],
)
def test_what_is_no_fusion_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        load_fusion(write(tmp_path / "made", text))


def test_an_invalid_fusion_lists_its_problems(tmp_path: Path) -> None:
    from imforensics.config import config_digest

    content = yaml.safe_load(dump_fusion(make_manifest()))
    del content["sha256"]
    content["modell"] = content.pop("model")
    content["sha256"] = config_digest(content)
    with pytest.raises(BundleError, match="modell: unknown key; did you mean model"):
        load_fusion(write(tmp_path / "made", yaml.safe_dump(content)))


def test_a_missing_fusion_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"No fusion named 'nowhere' ships .* such as \./nowhere"):
        load_fusion("nowhere")
    with pytest.raises(BundleError, match="cannot be read"):
        load_fusion(tmp_path)


def test_every_shipped_fusion_loads() -> None:
    for name in list_fusions():
        assert load_fusion(name).name == name


@pytest.mark.parametrize(
    ("method", "options", "bundles", "said"),
    [
        ("ela", {"quality": 90}, {"net": "ab"}, None),
        ("ela", {"quality": 90, "added_later": 1}, {"other name": "ab"}, None),
        ("ela", {"quality": 75}, {"net": "ab"}, "ela runs with another quality"),
        ("ela", {"quality": 90}, {"net": "cd"}, "ela runs with another trained bundle"),
        ("noise", {"block": 32}, {}, None),
        ("metadata", {}, {}, None),
    ],
)
def test_other_settings_are_named(tmp_path, method, options, bundles, said) -> None:  # type: ignore[no-untyped-def]
    fusion = load_fusion(write(tmp_path / "made", dump_fusion(make_manifest())))
    found = fusion.describe_unlike(method, options, bundles)
    assert found is None if said is None else found is not None and found.startswith(said)
