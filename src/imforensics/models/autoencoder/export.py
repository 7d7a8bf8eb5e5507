"""From a finished fit to what is shipped: export, measurements, threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from imforensics.datasets.base import load_dataset, load_split
from imforensics.evidence import read_evidence
from imforensics.metrics.similarity import mse, psnr, ssim
from imforensics.models.autoencoder.bundle import AutoencoderBundle
from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.error import measure_reference
from imforensics.models.autoencoder.fit import AutoencoderRow, data_range
from imforensics.models.autoencoder.manifest import (
    AutoencoderManifest,
    AutoencoderMeasurement,
    AutoencoderProvenance,
    ErrorReference,
)
from imforensics.models.bundle.layers import check_export, part_graph
from imforensics.models.bundle.manifest import ModelFile
from imforensics.models.training.progress import Progress
from imforensics.preprocessing.jpeg import resave_jpeg

if TYPE_CHECKING:
    import keras

    from imforensics.models.autoencoder.data import AutoencoderData
    from imforensics.models.training.checkpoints import SavedState
    from imforensics.types import FloatArray, UInt8Array

COMPARED = 64  # validation patches on which the export is checked
EXPORT_TOLERANCE = 1e-4  # absolute; sums of residuals reach 10, float32 carries seven digits
MEASURED_PLANES = 12_000  # patches times channels that are measured at most
RESAVED_QUALITY = 90  # half of the calibration images are saved again, as pictures from the web are


def export_autoencoder(
    config: TrainAutoencoderConfig,
    data: AutoencoderData,
    model: keras.Model,
    state: SavedState[AutoencoderRow],
    *,
    progress: Progress,
) -> tuple[dict[str, bytes], AutoencoderManifest]:
    """Export the best network, and measure what was exported.

    Args:
        config: of the run.
        data: what it learned from.
        model: of the best epoch.
        state: of the finished fit.
        progress: told of each image.

    Returns:
        The network, and what bundle.yaml is to hold.

    Raises:
        BundleError: the exported network does not reconstruct as the trained one.
    """
    parts, channels = {"model": part_graph(model, ["reconstruction"])}, data.train.shape[-1]
    draft = AutoencoderManifest(
        name=config.name,
        model=ModelFile.of("model", parts["model"], max_difference_to_keras=0.0),
        content=config.data.content,
        channels=channels,
        multiple=2 ** (len(config.network.filters) - 1),
        latent_share=_latent_share(config, channels),
        provenance=AutoencoderProvenance.record(
            config,
            data=data.title,
            train_images=data.train_images,
            train_patches=len(data.train),
            val_patches=len(data.validation),
            epochs=state.epoch,
            best_epoch=state.best_epoch,
        ),
    )
    bundle = AutoencoderBundle(Path(), draft, parts)
    compared = data.validation[:COMPARED]
    trained: FloatArray = model.predict(compared, batch_size=64, verbose=0)
    difference = check_export(trained, bundle.reconstruct(compared), tolerance=EXPORT_TOLERANCE)
    manifest = draft.model_copy(
        update={
            "model": draft.model.model_copy(update={"max_difference_to_keras": difference}),
            "measurements": (_measure(bundle, data.train, "train"), _measure(bundle, data.validation, "val")),
            "reference": _measure_authentic(config, bundle, data, progress)
            if data.validation_images
            else None,
        }
    )
    return parts, manifest


def _latent_share(config: TrainAutoencoderConfig, channels: int) -> float:
    shrunk: int = 4 ** (len(config.network.filters) - 1)
    return config.network.latent / (channels * shrunk)


def _measure(
    bundle: AutoencoderBundle, patches: FloatArray, split: Literal["train", "val"]
) -> AutoencoderMeasurement:
    """Own measures on evenly spaced patches, reconstructed by the exported network."""
    count = min(len(patches), max(1, MEASURED_PLANES // patches.shape[-1]))
    chosen = patches[np.linspace(0, len(patches) - 1, count).astype(np.int64)]
    made = bundle.reconstruct(chosen)
    value_range = data_range(bundle.manifest.content)
    alike = [ssim(one, other, data_range=value_range) for one, other in zip(chosen, made, strict=True)]
    return AutoencoderMeasurement(
        split=split,
        n=count,
        mse=mse(chosen, made),
        ssim=float(np.mean(alike)),
        psnr=psnr(chosen, made, data_range=value_range),
    )


def _measure_authentic(
    config: TrainAutoencoderConfig, bundle: AutoencoderBundle, data: AutoencoderData, progress: Progress
) -> ErrorReference | None:
    if config.data.content != "residual":
        return None
    paths = list(data.validation_images)
    population = f"{len(paths)} {data.title} (validation split)"
    if config.photos is not None:
        photos = load_dataset(config.photos.name, config.photos.root)
        more = [sample.image_path for sample in load_split(photos, "val") if sample.label == 0]
        paths += more
        population += f" and {len(more)} {photos.card.title} (validation split)"
    progress.start("authentic images", total=len(paths))
    population += f", every second one recompressed at quality {RESAVED_QUALITY}"
    reference = measure_reference(bundle, _read_images(paths, progress), population=population)
    progress.finish()
    return reference


def _read_images(paths: Sequence[Path], progress: Progress) -> Iterator[UInt8Array]:
    for index, path in enumerate(paths):
        pixels = read_evidence(path).pixels
        yield resave_jpeg(pixels, quality=RESAVED_QUALITY) if index % 2 else pixels
        progress.advance()
