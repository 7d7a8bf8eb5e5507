"""The model card of a classifier bundle in Markdown: description, performance, limitations."""

from __future__ import annotations

from collections.abc import Iterator

from imforensics.models.bundle.card import (
    describe_calibration,
    describe_provenance,
    format_card,
    format_interval,
    format_table,
)
from imforensics.models.classifier.manifest import BundleManifest, Measurement, Pairs

COLUMNS = ("accuracy", "precision", "recall", "f1", "auc")
CHANCE = 0.5

_INPUTS = {
    "rgb": "the pixels",
    "ela": "the ELA residual at quality {quality}, clipped at 32 gray levels",
    "wavelet": "the wavelet noise residual",
    "ela_wavelet": "the ELA residual at quality {quality} and the wavelet noise residual, stacked",
}

_ALIKE = (
    "Each tampered file was paired with its matched control: its own host, saved with the tampered file's "
    "quantization tables and subsampling"
)
_PAIRS: dict[Pairs, str] = {
    "raw": "The files were used as published.",
    "twin": f"{_ALIKE}.",
    "exact_twin": f"{_ALIKE}; only pairs whose tampered file has IJG tables were used, because our encoder "
    "writes the same there and only the alteration differs.",
}
_TWIN_WORDS: dict[Pairs, str] = {
    "twin": "On matched controls (each tampered file against its own host, saved with the same tables and "
    "subsampling, but by a different encoder where the tampered file has tables other than the IJG ones, "
    "which the network may detect)",
    "exact_twin": "On exact matched controls (the pairs written by the same encoder, so that only the "
    "alteration differs)",
}


def format_classifier_card(manifest: BundleManifest, *, title: str, photos: str | None) -> str:
    """The card of a bundle.

    Args:
        manifest: its facts.
        title: of the data set.
        photos: title of the photographs that the label's false-alarm rate rests on, None without any.

    Returns:
        Markdown.
    """
    return format_card(
        manifest.name,
        _describe(manifest, title),
        {
            "Performance": "\n\n".join((*_judge(manifest), _WHAT_IS_STATED, *_tables(manifest))),
            "Opinion and label": describe_calibration(manifest.calibration, photos=photos),
            "Limits": _LIMITS,
            "Provenance": describe_provenance(manifest, manifest.provenance, _training(manifest)),
        },
    )


def _describe(manifest: BundleManifest, title: str) -> str:
    spec, source = manifest.input, manifest.provenance
    what = _INPUTS[spec.kind].format(quality=spec.ela_quality)
    return (
        f"A small convolutional network. Input: {what}, resized to {spec.height}x{spec.width}. "
        f"Trained on {title}: {source.train_images} training and {source.val_images} validation images, "
        f"split by source group. {_PAIRS[source.pairs]}\n"
    )


def _judge(manifest: BundleManifest) -> Iterator[str]:
    raw = manifest.find_measurement("raw")
    look_up = manifest.shortcut
    if raw is not None and look_up is not None:
        beaten = look_up.accuracy >= raw.metrics["accuracy"]
        verdict = (
            "**The header baseline beats the network**: its accuracy on these files is no evidence that it "
            "detects tampering."
            if beaten
            else "The network is above the baseline, but both may exploit the same leak."
        )
        yield (
            f"The header baseline ({look_up.features}), fitted on the training split, has accuracy "
            f"{look_up.accuracy:.3f} and AUC {look_up.auc:.3f} on the same {look_up.n} test files without "
            f"looking at a pixel; the network has {raw.metrics['accuracy']:.3f} and "
            f"{raw.metrics['auc']:.3f}. {verdict}"
        )
    for pairs, words in _TWIN_WORDS.items():
        item = manifest.find_measurement(pairs)
        if item is not None:
            auc = format_interval(item.metrics["auc"], item.intervals["auc"])
            chance = "not clearly better" if item.intervals["auc"][0] <= CHANCE else "better"
            yield f"{words} its AUC is {auc} ({item.n_tampered} pairs): {chance} than chance."


def _tables(manifest: BundleManifest) -> Iterator[str]:
    items = [item for item in manifest.measurements if item.split == "test"]
    rows = [
        (item.pairs, f"{item.n_tampered} / {item.n_authentic}", *(_cell(item, name) for name in COLUMNS))
        for item in items
    ]
    if manifest.shortcut is not None:
        look_up = manifest.shortcut
        figures = (f"{look_up.accuracy:.3f}", "", "", "", f"{look_up.auc:.3f}")
        rows.append(("raw, header baseline", f"{look_up.n} in total", *figures))
    yield "\n".join(format_table(("pairs", "tampered / authentic", *COLUMNS), rows))
    yield "\n".join(map(_confusion, items))


def _cell(item: Measurement, name: str) -> str:
    return format_interval(item.metrics[name], item.intervals[name])


def _confusion(item: Measurement) -> str:
    tp, fp, fn, tn = (int(item.metrics[key]) for key in ("tp", "fp", "fn", "tn"))
    return (
        f"- {item.pairs}, threshold {item.threshold:.3f} ({item.threshold_policy}): {tp} tampered found, "
        f"{fn} missed; {fp} authentic flagged, {tn} not flagged."
    )


def _training(manifest: BundleManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"Weights of epoch {source.best_epoch} of {source.epochs}; `training_log.csv`, `curves.png`."


_WHAT_IS_STATED = (
    "Test split; 95 % bootstrap intervals over source groups in brackets. The threshold was chosen on "
    "validation data."
)
_LIMITS = """\
- Resizing to a small fixed input destroys most traces, and more of them in larger photographs.
- It gives one score for the whole image and no location.
- It was trained on manual splices and copy-moves from one collection of small images. It is not validated
  for generated images, global edits or removals.
- A score is not a probability. The opinion is one, but only for images like those it was calibrated on.
"""
