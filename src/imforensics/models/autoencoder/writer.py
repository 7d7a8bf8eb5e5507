"""From a finished autoencoder fit to a bundle: export, measurements, threshold, model card."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from imforensics import __version__
from imforensics.config import config_digest
from imforensics.datasets.base import load_dataset, load_split
from imforensics.evidence import read_evidence
from imforensics.metrics.similarity import mse, psnr, ssim
from imforensics.models.autoencoder.bundle import load_autoencoder
from imforensics.models.autoencoder.card import format_autoencoder_card
from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.error import measure_reference
from imforensics.models.autoencoder.fit import AutoencoderState, data_range
from imforensics.models.autoencoder.manifest import (
    AutoencoderManifest,
    AutoencoderMeasurement,
    AutoencoderProvenance,
    ErrorReference,
    dump_autoencoder_manifest,
)
from imforensics.models.bundle.export import check_export, export_onnx
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.classifier.manifest import ModelFile
from imforensics.models.classifier.writer import MODEL_FILE, RECORDED
from imforensics.models.training.checkpoints import SavedFit
from imforensics.models.training.progress import Progress
from imforensics.outputs import write_atomically
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.provenance import find_commit

if TYPE_CHECKING:
    from imforensics.models.autoencoder.bundle import AutoencoderBundle
    from imforensics.models.autoencoder.data import AutoencoderData
    from imforensics.types import FloatArray, UInt8Array

COMPARED = 64  # validation patches on which the export is checked
EXPORT_TOLERANCE = 1e-4  # absolute; sums of residuals reach 10, float32 carries seven digits
MEASURED_PLANES = 12_000  # patches times channels that are measured at most
RESAVED_QUALITY = 90  # half of the calibration images are saved again, as pictures from the web are


def write_autoencoder_bundle(
    config: TrainAutoencoderConfig,
    data: AutoencoderData,
    checkpoint: SavedFit[AutoencoderState],
    folder: Path,
    *,
    progress: Progress,
) -> AutoencoderManifest:
    """Export the best network, measure what was exported, and write the bundle.

    Args:
        config: of the run.
        data: what it learned from.
        checkpoint: of the finished fit.
        folder: of the bundle.
        progress: told of each image.

    Returns:
        What bundle.yaml holds.

    Raises:
        BundleError: the exported network does not reconstruct as the trained one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(checkpoint.best_path, folder / MODEL_FILE)
    manifest = AutoencoderManifest(
        name=config.name,
        model=ModelFile(
            file=MODEL_FILE,
            sha256=hashlib.sha256((folder / MODEL_FILE).read_bytes()).hexdigest(),
            runtime="onnxruntime",
            max_difference_to_keras=0.0,
        ),
        content=config.data.content,
        channels=data.train.shape[-1],
        multiple=2 ** (len(config.network.filters) - 1),
        latent_share=_latent_share(config, data.train.shape[-1]),
        provenance=_describe_provenance(config, data, checkpoint.state),
    )
    write_atomically(folder / MANIFEST_FILE, dump_autoencoder_manifest(manifest))
    bundle = load_autoencoder(folder)
    difference = _check_against_keras(bundle, checkpoint.best_path, data.validation[:COMPARED])
    reference = _measure_authentic(config, bundle, data, progress) if data.validation_images else None
    manifest = manifest.model_copy(
        update={
            "model": manifest.model.model_copy(update={"max_difference_to_keras": difference}),
            "measurements": (
                _measure(bundle, data.train, "train"),
                _measure(bundle, data.validation, "val"),
            ),
            "reference": reference,
        }
    )
    _write_files(folder, manifest)
    return manifest


def _latent_share(config: TrainAutoencoderConfig, channels: int) -> float:
    shrunk: int = 4 ** (len(config.network.filters) - 1)
    return config.network.latent / (channels * shrunk)


def _check_against_keras(bundle: AutoencoderBundle, keras_path: Path, patches: FloatArray) -> float:
    import keras

    model = keras.models.load_model(keras_path, compile=False, safe_mode=True)
    made: FloatArray = model.predict(patches, batch_size=64, verbose=0)
    return check_export(made, bundle.reconstruct(patches), tolerance=EXPORT_TOLERANCE)


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


def _describe_provenance(
    config: TrainAutoencoderConfig, data: AutoencoderData, state: AutoencoderState
) -> AutoencoderProvenance:
    return AutoencoderProvenance(
        created_at=datetime.now(UTC).replace(microsecond=0),
        tool_version=__version__,
        commit=find_commit(),
        config_digest=config_digest(config.model_dump(mode="json")),
        data=data.title,
        train_images=data.train_images,
        train_patches=len(data.train),
        val_patches=len(data.validation),
        seed=config.seed,
        epochs=state.epoch,
        best_epoch=state.best_epoch,
        versions={"python": platform.python_version()} | {name: metadata.version(name) for name in RECORDED},
    )


def _write_files(folder: Path, manifest: AutoencoderManifest) -> None:
    metrics = {
        "bundle": manifest.name,
        "measurements": [item.model_dump(mode="json") for item in manifest.measurements],
        "reference": manifest.reference.model_dump(mode="json") if manifest.reference else None,
    }
    write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_atomically(folder / "MODEL_CARD.md", format_autoencoder_card(manifest))
    write_atomically(folder / MANIFEST_FILE, dump_autoencoder_manifest(manifest))
