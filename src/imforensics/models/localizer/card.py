"""The model card of a localizer bundle, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imforensics.models.bundle.card import (
    describe_calibration,
    describe_provenance,
    format_card,
    format_interval,
    format_table,
)

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
    return format_card(
        manifest.name,
        _describe(manifest),
        {
            "Training data": _data(manifest),
            "Performance": _table(manifest),
            "Threshold, opinion and label": _decisions(manifest),
            "Limits": _limits(manifest),
            "Provenance": describe_provenance(manifest, manifest.provenance, _training(manifest)),
        },
    )


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
        rows = (
            (f"{source.title} (`{source.name}`)", source.role, str(source.images), source.licence)
            for source in manifest.sources
        )
        yield from format_table(
            ("data set", "used as", "images:", "licence"),
            ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows),
        )


def _table(manifest: LocalizerManifest) -> Iterator[str]:
    if not manifest.measurements:
        yield "Not measured yet."
        return
    yield (
        "Pixel metrics are means over tampered images; 95 % bootstrap intervals over source groups in "
        "brackets. F1 best uses the best threshold of each image, an oracle. The false-alarm area is the "
        "share of an authentic image that is flagged at the threshold.\n"
    )
    yield from format_table(
        ("data set, split", "protocol", "tampered / authentic", *_COLUMNS.values()),
        (
            (
                *(f"{item.dataset}, {item.split}", item.protocol, f"{item.n_tampered} / {item.n_authentic}"),
                *(_cell(item, name) for name in _COLUMNS),
            )
            for item in manifest.measurements
        ),
    )


def _cell(item: LocalizerMeasurement, name: str) -> str:
    if name not in item.metrics:
        return ""
    return format_interval(item.metrics[name], item.intervals.get(name))


def _decisions(manifest: LocalizerManifest) -> Iterator[str]:
    limit = manifest.map_threshold
    yield f"- Flagged: probability of at least {limit.value:.3f} ({limit.policy}; {limit.population})."
    if manifest.calibration is None:
        yield "- The score is not calibrated: there is no opinion and no label."
    else:
        yield from describe_calibration(manifest.calibration)


def _limits(manifest: LocalizerManifest) -> Iterator[str]:
    yield from _LIMITS
    yield from (f"- {text}" for text in manifest.limits)
    for picture in manifest.pictures:
        yield f"\n![{picture.words}]({picture.file})\n\n{picture.words}"


def _training(manifest: LocalizerManifest) -> Iterator[str]:
    source, difference = manifest.provenance, manifest.difference
    yield (
        f"{source.epochs} epochs, {source.steps} steps, {source.pictures} pictures (including matched "
        f"controls), {source.seconds / 60:.0f} minutes on {source.hardware}. Log: `training_log.csv`; "
        "curves: `curves.png`."
    )
    if source.started_from is not None:
        yield f"Started from the weights of the run with configuration {source.started_from}."
    yield (
        "Run in tiles, it differs from the trained Keras network on whole pictures by at most "
        f"{difference.map:.1e} (map), {difference.reliability:.1e} (reliability) and {difference.score:.1e} "
        f"(score) on {difference.pictures} pictures."
    )


_LIMITS = (
    "- It finds regions whose compression and noise history differs from the rest. Copies within one "
    "picture share that history, and strong compression or resizing of the whole picture destroys it.",
    "- It does not detect pictures that were generated as a whole, and global edits leave no contrast to "
    "detect.",
    "- A file that is not a JPEG has no compression traces in its coefficients: only its pixels are used.",
    "- The map's values are not calibrated probabilities. The opinion is calibrated, but only for pictures "
    "like those it was calibrated on.",
)
