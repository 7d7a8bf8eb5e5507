"""The model card of a classifier bundle in Markdown: description, performance, limitations."""

from __future__ import annotations

from collections.abc import Iterator

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


def format_card(manifest: BundleManifest, *, title: str, photos: str | None) -> str:
    """The card of a bundle.

    Args:
        manifest: its facts.
        title: of the data set.
        photos: title of the photographs that the label's false-alarm rate rests on, None without any.

    Returns:
        Markdown.
    """
    sections = [
        f"# {manifest.name}\n",
        _describe(manifest, title),
        "## Performance\n\n" + _judge(manifest),
        "Test split; 95 % bootstrap intervals over source groups in brackets. The threshold was chosen on "
        "validation data.\n\n" + "\n".join(_table(manifest)) + "\n\n" + "\n".join(_confusions(manifest)),
        "## Opinion and label\n\n" + "\n".join(_label(manifest, photos)),
        "## Limits\n\n" + _LIMITS,
        "## Provenance\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _describe(manifest: BundleManifest, title: str) -> str:
    spec, source = manifest.input, manifest.provenance
    what = _INPUTS[spec.kind].format(quality=spec.ela_quality)
    return (
        f"A small convolutional network. Input: {what}, resized to {spec.height}x{spec.width}. "
        f"Trained on {title}: {source.train_images} training and {source.val_images} validation images, "
        f"split by source group. {_PAIRS[source.pairs]}\n"
    )


def _judge(manifest: BundleManifest) -> str:
    lines = []
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
        lines.append(
            f"The header baseline ({look_up.features}), fitted on the training split, has accuracy "
            f"{look_up.accuracy:.3f} and AUC {look_up.auc:.3f} on the same {look_up.n} test files without "
            f"looking at a pixel; the network has {raw.metrics['accuracy']:.3f} and "
            f"{raw.metrics['auc']:.3f}. {verdict}"
        )
    for pairs, words in _TWIN_WORDS.items():
        item = manifest.find_measurement(pairs)
        if item is not None:
            low, high = item.intervals["auc"]
            lines.append(
                f"{words} its AUC is {item.metrics['auc']:.3f} [{low:.3f}, {high:.3f}] "
                f"({item.n_tampered} pairs): "
                + ("not clearly better than chance." if low <= CHANCE else "better than chance.")
            )
    return "\n\n".join(lines) + "\n"


def _table(manifest: BundleManifest) -> Iterator[str]:
    yield "| pairs | tampered / authentic | " + " | ".join(COLUMNS) + " |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    for item in manifest.measurements:
        if item.split == "test":
            cells = (_cell(item, name) for name in COLUMNS)
            yield f"| {item.pairs} | {item.n_tampered} / {item.n_authentic} | " + " | ".join(cells) + " |"
    if manifest.shortcut is not None:
        look_up = manifest.shortcut
        yield (
            f"| raw, header baseline | {look_up.n} in total | {look_up.accuracy:.3f} | | | | "
            f"{look_up.auc:.3f} |"
        )


def _cell(item: Measurement, name: str) -> str:
    low, high = item.intervals[name]
    return f"{item.metrics[name]:.3f} [{low:.3f}, {high:.3f}]"


def _confusions(manifest: BundleManifest) -> Iterator[str]:
    for item in manifest.measurements:
        if item.split == "test":
            tp, fp, fn, tn = (int(item.metrics[key]) for key in ("tp", "fp", "fn", "tn"))
            yield (
                f"- {item.pairs}, threshold {item.threshold:.3f} ({item.threshold_policy}): {tp} tampered "
                f"found, {fn} missed; {fp} authentic flagged, {tn} not flagged."
            )


def _label(manifest: BundleManifest, photos: str | None) -> Iterator[str]:
    calibration = manifest.calibration
    low, high = calibration.log10_lr_bounds
    yield (
        f"- Calibrated on {calibration.population_with_counts}; protocol {calibration.protocol}; curve "
        f"{calibration.kind}; log10 likelihood ratio within [{low:.2f}, {high:.2f}]."
    )
    wanted = calibration.conditions
    yield (
        f"- Valid for {'JPEG files' if wanted.requires_jpeg else 'files'} with a shorter side of at least "
        f"{wanted.min_side} pixels and at most {wanted.max_pixels} pixels in total; otherwise there is a "
        "score but no opinion."
    )
    if calibration.thresholds is None:
        yield "- No label is given: there were no matched controls or no photographs to choose thresholds on."
        return
    limits = calibration.thresholds
    yield f"- Label thresholds ({limits.policy}; photographs: {photos}):"
    above, below = format_threshold(limits.tampered_above), format_threshold(limits.authentic_below)
    yield f"    - tampered above {above}, authentic below {below};"
    yield from (f"    - {note}" for note in limits.notes)


def format_threshold(value: float | None) -> str:
    """A threshold of the label: some are next to 1."""
    return "none" if value is None else f"{value:.4f}"


def _provenance(manifest: BundleManifest) -> Iterator[str]:
    source = manifest.provenance
    yield f"- Made {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield f"- Weights of epoch {source.best_epoch} of {source.epochs}; `training_log.csv`, `curves.png`."
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    yield f"- Model: `{manifest.model.file}`, SHA-256 {manifest.model.sha256}."
    yield (
        "- Scores differ from those of the trained Keras model by at most "
        f"{manifest.model.max_difference_to_keras:.1e} on the validation images."
    )
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


_LIMITS = """\
- Resizing to a small fixed input destroys most traces, and more of them in larger photographs.
- It gives one score for the whole image and no location.
- It was trained on manual splices and copy-moves from one collection of small images. It is not validated
  for generated images, global edits or removals.
- A score is not a probability. The opinion is one, but only for images like those it was calibrated on.
"""
