"""From finished fits to what is shipped: export, checks, measurements, thresholds of error maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imforensics.metrics.similarity import ssim
from imforensics.models.bundle.layers import check_export
from imforensics.models.bundle.runtime import start_session
from imforensics.models.gan.bundle import GanBundle
from imforensics.models.gan.config import TrainGanConfig
from imforensics.models.gan.encoder import EncoderRow
from imforensics.models.gan.error import ERROR_KINDS, ErrorKind, image_errors
from imforensics.models.gan.fit import GanRow, SampleReference, predict
from imforensics.models.gan.graphs import discriminator_graph, encoder_graph, generator_graph, search_graph
from imforensics.models.gan.images import middle_patches, whole_views
from imforensics.models.gan.manifest import (
    MODES,
    VIEWS,
    ErrorScale,
    GanFile,
    GanManifest,
    GanProvenance,
    ReconstructionMeasurement,
    ReconstructionMode,
    View,
)
from imforensics.models.gan.reconstruction import Reconstructor
from imforensics.models.gan.step import GanTrainer
from imforensics.models.training.checkpoints import SavedState
from imforensics.models.training.progress import Progress
from imforensics.types import FloatArray, UInt8Array

TOLERANCE = 1e-3  # of the spread of an output; float32 sums in another order differ by about 1e-6 of it
CHECKED = 16  # validation images that exports are compared on
MEASURED = 32  # validation images of the table; the search takes seconds for each
SCALED: tuple[
    tuple[ReconstructionMode, View], ...
] = (  # patches by the encoder alone: searching each takes long
    *((mode, "whole") for mode in MODES),
    ("encoder", "patches"),
)
FALSE_ALARMS = 0.02
POLICY = "far_2pct"
PIXELS_AN_IMAGE = 4096  # of each image that the threshold rests on, evenly spread


@dataclass(frozen=True, slots=True)
class FinishedGan:
    """All that a bundle is made of.

    Attributes:
        trainer: after the adversarial fit.
        encoder: of its best epoch.
        gan: how the adversarial fit went.
        encoder_fit: how the encoder's fit went.
        reference: what samples were held against.
        validation: (H, W, 3) uint8 each, authentic, held out.
        train_images: number of training images.
    """

    trainer: GanTrainer
    encoder: Any
    gan: SavedState[GanRow]
    encoder_fit: SavedState[EncoderRow]
    reference: SampleReference
    validation: Sequence[UInt8Array]
    train_images: int


def export_gan(
    config: TrainGanConfig, finished: FinishedGan, *, progress: Progress
) -> tuple[dict[str, bytes], GanManifest]:
    """Export the networks, and measure what was exported.

    Args:
        config: of the run.
        finished: the fitted networks and their data.
        progress: told of each image measured.

    Returns:
        The networks, and what bundle.yaml is to hold.

    Raises:
        BundleError: an exported network does not compute what the trained one does.
    """
    generator, discriminator = finished.trainer.averaged, finished.trainer.discriminator
    parts: dict[str, bytes] = {
        "generator": generator_graph(generator),
        "encoder": encoder_graph(finished.encoder),
        "discriminator": discriminator_graph(discriminator),
        "search": search_graph(generator, discriminator, half=True),
    }
    differences = _check_exports(parts, finished, config)
    draft = GanManifest(
        name=config.name,
        height=config.images.size,
        width=config.images.size,
        latent=config.networks.latent,
        files={
            part: GanFile.of(part, content, max_difference_to_keras=differences.get(part))
            for part, content in parts.items()
        },
        search=config.search,
        provenance=_describe_provenance(config, finished),
    )
    images, reconstructor = finished.validation, Reconstructor(GanBundle(Path(), draft, parts))
    manifest = draft.model_copy(
        update={
            "measurements": measure_reconstructions(config, reconstructor, images, progress=progress),
            "error_scales": _choose_scales(reconstructor, images, progress=progress),
        }
    )
    return parts, manifest


def measure_reconstructions(
    config: TrainGanConfig,
    reconstructor: Reconstructor,
    images: Sequence[UInt8Array],
    *,
    progress: Progress,
    count: int = MEASURED,
) -> tuple[ReconstructionMeasurement, ...]:
    """Errors of each mode and view on validation images, evenly spread over their list."""
    chosen = [images[index] for index in _spread(len(images), count)]
    views = {
        "whole": whole_views(chosen, config.images.size),
        "patches": middle_patches(chosen, config.images.size),
    }
    progress.start("reconstructions", total=len(MODES) * len(VIEWS), unit="tables")
    results = []
    for view in VIEWS:
        for mode in MODES:
            made = reconstructor.reconstruct(views[view], mode=mode, seed=config.seed)
            mse = float(np.mean((made - views[view]) ** 2, dtype=np.float64))
            similar = [ssim(image, again) for image, again in zip(views[view], made, strict=True)]
            results.append(
                ReconstructionMeasurement(
                    mode=mode,
                    view=view,
                    dataset=config.dataset.name,
                    split="val",
                    n=len(chosen),
                    mse=mse,
                    ssim=float(np.mean(similar)),
                    psnr=-10 * math.log10(mse),
                )
            )
            progress.advance()
    progress.finish()
    return tuple(results)


def _choose_scales(
    reconstructor: Reconstructor, images: Sequence[UInt8Array], *, progress: Progress
) -> tuple[ErrorScale, ...]:
    """The error that 2 % of the pixels of authentic images exceed; each image counts alike."""
    scales = []
    progress.start("thresholds", total=len(SCALED) * len(images))
    for mode, view in SCALED:
        values: dict[ErrorKind, list[FloatArray]] = {kind: [] for kind in ERROR_KINDS}
        for pixels in images:
            maps = image_errors(reconstructor, pixels, mode=mode, view=view)
            for kind, errors in zip(ERROR_KINDS, maps, strict=True):
                values[kind].append(errors.ravel()[_spread(errors.size, PIXELS_AN_IMAGE)])
            progress.advance()
        for kind, parts in values.items():
            weights = np.concatenate([np.full(len(part), 1 / len(part)) for part in parts])
            threshold = _weighted_quantile(np.concatenate(parts), weights, 1 - FALSE_ALARMS)
            clipped = min(max(threshold, 1e-6), 1 - 1e-6)
            scales.append(ErrorScale(mode=mode, view=view, kind=kind, policy=POLICY, threshold=clipped))
    progress.finish()
    return tuple(scales)


def _weighted_quantile(values: FloatArray, weights: np.ndarray, share: float) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, share * cumulative[-1])])


def _check_exports(
    parts: dict[str, bytes], finished: FinishedGan, config: TrainGanConfig
) -> dict[str, float]:
    images = finished.reference.validation[:CHECKED]
    noise = np.random.default_rng(config.seed).standard_normal(
        (CHECKED, config.networks.latent), dtype=np.float32
    )
    logits = predict(finished.trainer.discriminator, images)
    trained: dict[str, tuple[str, FloatArray, FloatArray, int]] = {
        "generator": ("z", noise, predict(finished.trainer.averaged, noise), 0),
        "encoder": ("image", images, predict(finished.encoder, images), 0),
        "discriminator": ("image", images, logits, 1),
    }
    differences: dict[str, float] = {}
    for part, (name, inputs, expected, output) in trained.items():
        received = start_session(parts[part]).run(None, {name: inputs})[output]
        spread = max(float(expected.std()), 1e-3)
        differences[part] = check_export(expected, received, tolerance=TOLERANCE * spread, what=part)
    return differences


def _spread(count: int, wanted: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, wanted)).astype(int)


def _describe_provenance(config: TrainGanConfig, finished: FinishedGan) -> GanProvenance:
    looks = [row.kernel_distance for row in finished.gan.rows if row.kernel_distance is not None]
    return GanProvenance.record(
        config,
        dataset=config.dataset.name,
        train_images=finished.train_images,
        val_images=len(finished.validation),
        gan_epochs=finished.gan.epoch,
        encoder_epochs=finished.encoder_fit.epoch,
        encoder_best_epoch=finished.encoder_fit.best_epoch,
        kernel_distance=looks[-1] if looks else None,
        kernel_distance_floor=finished.reference.floor,
    )
