"""The model card of a localizer bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imforensics.models.classifier.card import format_threshold

if TYPE_CHECKING:
    from imforensics.models.localizer.manifest import LocalizerManifest, LocalizerMeasurement

_STREAMS = {
    "traces": "the quantized DCT coefficients of each 8x8 block of the luma, against the picture's own "
    "histograms on the grid and off it",
    "noise": "the pixels minus their 3x3 mean",
    "rgb": "the pixels",
    "ela": "the ELA residual at quality 90",
    "wavelet": "the wavelet noise residual",
}
_COLUMNS = {
    "pixel_auc": "pixel AUC",
    "f1_fixed": "F1 at the threshold",
    "f1_best": "F1 best",
    "image_auc": "image AUC",
    "false_alarm_area": "false-alarm area",
}


def format_localizer_card(manifest: LocalizerManifest) -> str:
    """The card of a bundle.

    Args:
        manifest: its facts, measurements included.

    Returns:
        Markdown.
    """
    sections = [
        f"# {manifest.name}\n",
        _describe(manifest),
        "## Training data\n\n" + "\n".join(_data(manifest)),
        "## Performance\n\n" + "\n".join(_table(manifest)),
        "## Threshold, opinion and label\n\n" + "\n".join(_decisions(manifest)),
        "## Limits\n\n" + "\n".join(_limits(manifest)),
        "## Provenance\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _describe(manifest: LocalizerManifest) -> str:
    seen = " and ".join(_STREAMS[stream] for stream in manifest.network.streams)
    return (
        f"A convolutional network with {manifest.parameters} weights. Input: {seen}. It works at native "
        "resolution and gives one probability for each 8x8 block (interpolated bilinearly to pixels), a map "
        "of how reliable that is, and one score for the whole picture.\n"
    )


def _data(manifest: LocalizerManifest) -> Iterator[str]:
    yield manifest.training
    if manifest.sources:
        yield ""
        yield "| data set | used as | images | licence |"
        yield "|---|---|---:|---|"
    for source in manifest.sources:
        cells = (f"{source.title} (`{source.name}`)", source.role, str(source.images), source.licence)
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _table(manifest: LocalizerManifest) -> Iterator[str]:
    if not manifest.measurements:
        yield "Not measured yet."
        return
    yield (
        "Pixel metrics are means over tampered images; 95 % bootstrap intervals over source groups in "
        "brackets. F1 best uses the best threshold of each image, an oracle. The false-alarm area is the "
        "share of an authentic image that is flagged at the threshold.\n"
    )
    yield "| data set, split | protocol | tampered / authentic | " + " | ".join(_COLUMNS.values()) + " |"
    yield "|---|---|---|" + "---|" * len(_COLUMNS)
    for item in manifest.measurements:
        cells = " | ".join(_cell(item, name) for name in _COLUMNS)
        counts = f"{item.n_tampered} / {item.n_authentic}"
        yield f"| {item.dataset}, {item.split} | {item.protocol} | {counts} | {cells} |"


def _cell(item: LocalizerMeasurement, name: str) -> str:
    if name not in item.metrics:
        return ""
    value = f"{item.metrics[name]:.3f}"
    if name not in item.intervals:
        return value
    low, high = item.intervals[name]
    return f"{value} [{low:.3f}, {high:.3f}]"


def _decisions(manifest: LocalizerManifest) -> Iterator[str]:
    limit = manifest.map_threshold
    yield f"- Flagged: probability of at least {limit.value:.3f} ({limit.policy}; {limit.population})."
    calibration = manifest.calibration
    if calibration is None:
        yield "- The score is not calibrated: there is no opinion and no label."
        return
    low, high = calibration.log10_lr_bounds
    wanted = calibration.conditions
    most = "" if wanted.max_pixels is None else f" and at most {wanted.max_pixels} pixels in total"
    yield (
        f"- Score calibrated on {calibration.population_with_counts}; protocol {calibration.protocol}; curve "
        f"{calibration.kind}; log10 likelihood ratio within [{low:.2f}, {high:.2f}]."
    )
    yield (
        f"- Valid for {'JPEG files' if wanted.requires_jpeg else 'files'} with a shorter side of at least "
        f"{wanted.min_side} pixels{most}; otherwise there is a score but no opinion."
    )
    if calibration.thresholds is None:
        yield "- No label is given."
        return
    labels = calibration.thresholds
    above, below = format_threshold(labels.tampered_above), format_threshold(labels.authentic_below)
    yield f"- Labels ({labels.policy}): tampered above {above}, authentic below {below}."
    yield from (f"    - {note}" for note in labels.notes)


def _limits(manifest: LocalizerManifest) -> Iterator[str]:
    yield from _LIMITS
    yield from (f"- {text}" for text in manifest.limits)
    for picture in manifest.pictures:
        yield f"\n![{picture.words}]({picture.file})\n\n{picture.words}"


def _provenance(manifest: LocalizerManifest) -> Iterator[str]:
    source, difference = manifest.provenance, manifest.difference
    yield f"- Exported {source.created_at:%Y-%m-%d} by imforensics {source.tool_version}, seed {source.seed}."
    yield (
        f"- {source.epochs} epochs, {source.steps} steps, {source.pictures} pictures (including matched "
        f"controls), {source.seconds / 60:.0f} minutes on {source.hardware}. Log: `training_log.csv`; "
        "curves: `curves.png`."
    )
    if source.started_from is not None:
        yield f"- Started from the weights of the run with configuration {source.started_from}."
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    yield from (f"- `{file.file}` ({part}), SHA-256 {file.sha256}." for part, file in manifest.files.items())
    yield (
        "- Run in tiles, it differs from the trained Keras network on whole pictures by at most "
        f"{difference.map:.1e} (map), {difference.reliability:.1e} (reliability) and {difference.score:.1e} "
        f"(score) on {difference.pictures} pictures."
    )
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


_LIMITS = (
    "- It finds regions whose compression and noise history differs from the rest. Copies within one "
    "picture share that history, and strong compression or resizing of the whole picture destroys it.",
    "- It does not detect pictures that were generated as a whole, and global edits leave no contrast to "
    "detect.",
    "- A file that is not a JPEG has no compression traces in its coefficients: only its pixels are used.",
    "- The map's values are not calibrated probabilities. The opinion is calibrated, but only for pictures "
    "like those it was calibrated on.",
)
