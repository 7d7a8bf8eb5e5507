"""The model card of a localizer bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imforensics.models.card import format_threshold

if TYPE_CHECKING:
    from imforensics.models.localizer_manifest import LocalizerManifest, LocalizerMeasurement

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
    "false_alarm_area": "area marked in authentic",
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
        "## What it learned from\n\n" + "\n".join(_data(manifest)),
        "## What it is worth\n\n" + "\n".join(_table(manifest)),
        "## Threshold, opinion and label\n\n" + "\n".join(_decisions(manifest)),
        "## Limits\n\n" + "\n".join(_limits(manifest)),
        "## Where it comes from\n\n" + "\n".join(_provenance(manifest)),
    ]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _describe(manifest: LocalizerManifest) -> str:
    seen = " and ".join(_STREAMS[stream] for stream in manifest.network.streams)
    return (
        f"A convolutional network of {manifest.parameters} weights that looks at {seen}. It works at native "
        "resolution, gives one probability for each 8x8 block (brought to pixels by bilinear interpolation), "
        "a map of how far that can be relied on, and one score for the whole picture.\n"
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
        "Pixel figures are means over tampered images; 95 % bootstrap intervals over source groups in "
        "brackets. F1 best picks the best threshold of each image, knowing the truth.\n"
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
    yield f"- Marked: probability of at least {limit.value:.3f} ({limit.policy}; {limit.population})."
    calibration = manifest.calibration
    if calibration is None:
        yield "- The score is not calibrated: there is no opinion and no label."
        return
    low, high = calibration.log10_lr_bounds
    wanted = calibration.conditions
    most = "" if wanted.max_pixels is None else f" and at most {wanted.max_pixels} pixels in all"
    yield (
        f"- Score calibrated on {calibration.population_with_counts}; protocol {calibration.protocol}; curve "
        f"{calibration.kind}; log10 likelihood ratio within [{low:.2f}, {high:.2f}]."
    )
    yield (
        f"- Valid for {'JPEG files' if wanted.requires_jpeg else 'files'} with a shorter side of at least "
        f"{wanted.min_side} pixels{most}; elsewhere there is a score and no opinion."
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
        f"- {source.epochs} epochs, {source.steps} steps, {source.pictures} pictures (twins counted), "
        f"{source.seconds / 60:.0f} minutes on {source.hardware}. Log: `training_log.csv`; curves: "
        "`curves.png`."
    )
    if source.started_from is not None:
        yield f"- Started from the weights of the run with configuration {source.started_from}."
    yield f"- Configuration: `config.yaml`, digest {source.config_digest}."
    yield from (f"- `{file.file}` ({part}), SHA-256 {file.sha256}." for part, file in manifest.files.items())
    yield (
        "- Run on windows, it differs from the trained Keras network on whole pictures by at most "
        f"{difference.map:.1e} (map), {difference.reliability:.1e} (reliability) and {difference.score:.1e} "
        f"(score) on {difference.pictures} pictures."
    )
    yield "- Versions: " + ", ".join(f"{name} {version}" for name, version in source.versions.items()) + "."


_LIMITS = (
    "- It finds parts whose history of compression and noise differs from the rest. Copies within one "
    "picture share that history, and strong compression or resizing of the whole picture wipes it out.",
    "- It says nothing about pictures that a network made as a whole, and global edits leave nothing to "
    "compare.",
    "- A file that is no JPEG has no traces of compression to look at: only the pixels are seen.",
    "- The map's values are no calibrated probabilities. The opinion is, for pictures like those that it was "
    "calibrated on, and only there.",
)
