"""From a finished fit to a bundle: export, thresholds, calibration, measurements, model card."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image

from imforensics import __version__
from imforensics.config import config_digest
from imforensics.metrics.calibration import Calibration, Conditions, fit_calibration
from imforensics.metrics.label_thresholds import choose_label_thresholds
from imforensics.models.bundle.export import check_export, export_onnx, keras_scores
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.classifier.bundle import load_runtime
from imforensics.models.classifier.card import format_card
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.data import SplitName, TrainingData
from imforensics.models.classifier.evaluation import F1_POLICY, choose_f1_threshold, measure, measure_lookup
from imforensics.models.classifier.examples import Example, labels_of, prepare_inputs
from imforensics.models.classifier.manifest import (
    BundleManifest,
    Measurement,
    ModelFile,
    Pairs,
    Provenance,
    ShortcutMeasurement,
    dump_manifest,
)
from imforensics.models.training.checkpoints import Checkpoint
from imforensics.models.training.progress import Progress
from imforensics.outputs import write_atomically
from imforensics.provenance import find_commit
from imforensics.types import FloatArray

MODEL_FILE = "model.onnx"
RECORDED = ("tensorflow", "keras", "tf2onnx", "onnxruntime", "numpy", "pillow", "pywavelets")
ALTERED: dict[Pairs, str] = {
    "raw": "tampered and authentic files as published",
    "twin": "tampered files against their own hosts saved alike",
    "exact_twin": "tampered files against their own hosts saved alike by the same encoder",
}
ScoreTable = dict[tuple[Pairs, SplitName], FloatArray]


def write_bundle(
    config: TrainDetectorConfig,
    data: TrainingData,
    checkpoint: Checkpoint,
    validation_inputs: FloatArray,
    folder: Path,
    *,
    progress: Progress,
) -> BundleManifest:
    """Export the best model, measure what was exported, and write the bundle.

    Args:
        config: of the run.
        data: splits.
        checkpoint: of the finished fit.
        validation_inputs: (N, h, w, C) float32 of the validation examples of `config.pairs`.
        folder: of the bundle.
        progress: told of each image prepared.

    Returns:
        What bundle.yaml holds.

    Raises:
        BundleError: the exported model does not score as the trained one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(checkpoint.best_path, folder / MODEL_FILE)
    model_bytes = (folder / MODEL_FILE).read_bytes()
    predict = load_runtime(model_bytes)
    difference = check_export(
        keras_scores(checkpoint.best_path, validation_inputs), predict(validation_inputs)
    )

    def score(examples: Sequence[Example], stage: str) -> FloatArray:
        return predict(
            prepare_inputs(examples, config.input, workers=config.workers, stage=stage, progress=progress)
        )

    evaluated: tuple[SplitName, ...] = ("val", "test")
    scores: ScoreTable = {
        (pairs, split): score(data.examples[pairs][split], f"{pairs} {split}")
        for pairs in data.examples
        for split in evaluated
    }
    photo_scores = score(data.photos, "photographs") if data.photos else None
    threshold = choose_f1_threshold(
        scores[config.pairs, "val"], labels_of(data.examples[config.pairs]["val"])
    )
    measurements = _measure_all(config, data, scores, threshold)
    shortcut = measure_lookup(data.samples["train"], data.samples["test"], dataset=config.dataset.name)
    manifest = BundleManifest(
        name=config.name,
        model=ModelFile(
            file=MODEL_FILE,
            sha256=hashlib.sha256(model_bytes).hexdigest(),
            runtime="onnxruntime",
            max_difference_to_keras=difference,
        ),
        input=config.input,
        thresholds={F1_POLICY: threshold},
        calibration=_calibrate(config, data, scores, photo_scores),
        measurements=measurements,
        shortcut=shortcut,
        provenance=_describe_provenance(config, data, checkpoint),
    )
    _write_files(folder, manifest, data, shortcut)
    return manifest


def _measure_all(
    config: TrainDetectorConfig, data: TrainingData, scores: ScoreTable, threshold: float
) -> tuple[Measurement, ...]:
    return tuple(
        measure(
            data.examples[pairs][split],
            values,
            pairs=pairs,
            dataset=config.dataset.name,
            split="val" if split == "val" else "test",
            threshold=threshold,
            seed=config.seed,
        )
        for (pairs, split), values in scores.items()
    )


def _calibrate(
    config: TrainDetectorConfig, data: TrainingData, scores: ScoreTable, photo_scores: FloatArray | None
) -> Calibration:
    twins: Pairs = "exact_twin" if "exact_twin" in data.examples else "twin"
    used = "raw" if config.pairs == "raw" else twins
    examples = data.examples[used]["val"]
    calibration = fit_calibration(
        scores[used, "val"],
        labels_of(examples),
        protocol="raw" if used == "raw" else "twin",
        population=f"{data.title}, validation split, {ALTERED[used]}",
        groups=[example.group for example in examples],
        conditions=_conditions_of(examples),
        seed=config.seed,
    )
    if (twins, "val") not in scores or photo_scores is None:
        return calibration
    is_tampered = labels_of(data.examples[twins]["val"]) > 0
    return choose_label_thresholds(
        calibration,
        authentic_camera_scores=photo_scores,
        authentic_scores=scores[twins, "val"][~is_tampered],
        tampered_scores=scores[twins, "val"][is_tampered],
    )


def _conditions_of(examples: Sequence[Example]) -> Conditions:
    """The range of what was calibrated on: nothing is known of other sizes and formats."""
    formats, sizes = set(), []
    for example in examples:
        with Image.open(example.image_path) as image:
            formats.add(image.format)
            sizes.append((image.height, image.width))
    return Conditions(
        requires_jpeg=formats == {"JPEG"},
        min_side=min(min(size) for size in sizes),
        max_pixels=max(height * width for height, width in sizes),
    )


def _describe_provenance(
    config: TrainDetectorConfig, data: TrainingData, checkpoint: Checkpoint
) -> Provenance:
    examples = data.examples[config.pairs]
    return Provenance(
        created_at=datetime.now(UTC).replace(microsecond=0),
        tool_version=__version__,
        commit=find_commit(),
        config_digest=config_digest(config.model_dump(mode="json")),
        dataset=config.dataset.name,
        pairs=config.pairs,
        train_images=len(examples["train"]),
        val_images=len(examples["val"]),
        seed=config.seed,
        epochs=checkpoint.state.epoch,
        best_epoch=checkpoint.state.best_epoch,
        versions={"python": platform.python_version()} | {name: metadata.version(name) for name in RECORDED},
    )


def _write_files(
    folder: Path, manifest: BundleManifest, data: TrainingData, shortcut: ShortcutMeasurement
) -> None:
    metrics: dict[str, Any] = {
        "bundle": manifest.name,
        "measurements": [item.model_dump(mode="json") for item in manifest.measurements],
        "shortcut": shortcut.model_dump(mode="json"),
        "twins_missing": data.twins_missing,
    }
    write_atomically(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    write_atomically(
        folder / "MODEL_CARD.md", format_card(manifest, title=data.title, photos=data.photos_title)
    )
    write_atomically(folder / MANIFEST_FILE, dump_manifest(manifest))
