"""Training a detector, from the configuration to the bundle."""

from __future__ import annotations

from typing import Any

from imforensics.models.classifier.batches import LabelledInputs
from imforensics.models.classifier.card import format_classifier_card
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.data import load_training_data
from imforensics.models.classifier.examples import Example, labels_of, prepare_inputs
from imforensics.models.classifier.export import export_classifier
from imforensics.models.classifier.fit import fit_classifier
from imforensics.models.classifier.manifest import BundleManifest
from imforensics.models.training.extra import require_training
from imforensics.models.training.progress import Progress
from imforensics.models.training.run import TrainingRun, TrainResult

REQUIRED = ("tensorflow", "keras", "onnx", "sklearn")  # the last for the folds of the calibration


def train_detector(config: TrainDetectorConfig, run: TrainingRun) -> TrainResult[BundleManifest]:
    """Train, evaluate and export a detector.

    Args:
        config: what to do.
        run: gets config.yaml, checkpoints, logs, curves, metrics.json and the bundle.

    Returns:
        The bundle's place and what was measured.

    Raises:
        MissingExtraError: a package of REQUIRED is not installed.
        DatasetError: a data set or split is missing.
        OutputExistsError, InterruptedRunError: see `TrainingRun.open`.
    """
    require_training("train-detector", REQUIRED)
    data = load_training_data(config)
    if data.twins_missing:
        run.progress.say(f"no twin protocol: {data.twins_missing}")
    with run.open(config):
        examples = data.examples[config.pairs]
        train = _prepare(config, examples["train"], "training inputs", run.progress)
        validation = _prepare(config, examples["val"], "validation inputs", run.progress)
        model, state = fit_classifier(config, train, validation, run.folder, progress=run.progress)
        parts, manifest = export_classifier(
            config, data, model, state, validation.inputs, progress=run.progress
        )
        metrics = manifest.model_dump(mode="json", include={"measurements", "shortcut"})
        return run.finish(
            manifest,
            parts,
            card=format_classifier_card(manifest, title=data.title, photos=data.photos_title),
            state=state,
            figures=_list_figures(manifest),
            metrics=metrics | {"twins_missing": data.twins_missing},
        )


def _prepare(
    config: TrainDetectorConfig, examples: list[Example], stage: str, progress: Progress
) -> LabelledInputs:
    inputs = prepare_inputs(examples, config.input, workers=config.workers, stage=stage, progress=progress)
    return LabelledInputs(inputs, labels_of(examples), unit=1 if config.pairs == "raw" else 2)


def _list_figures(manifest: BundleManifest) -> dict[str, Any]:
    return {
        "test": {
            item.pairs: {"threshold": item.threshold} | item.metrics
            for item in manifest.measurements
            if item.split == "test"
        },
        "shortcut_accuracy": manifest.shortcut.accuracy if manifest.shortcut else None,
    }
