"""Training a detector, from the configuration to the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imforensics.models.classifier.batches import LabelledInputs
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.classifier.curves import CurveReading, draw_curves, format_reading, read_curves
from imforensics.models.classifier.data import load_training_data
from imforensics.models.classifier.examples import Example, labels_of, prepare_inputs
from imforensics.models.classifier.fit import fit_classifier
from imforensics.models.classifier.manifest import BundleManifest
from imforensics.models.classifier.writer import write_bundle
from imforensics.models.training.checkpoints import FitState
from imforensics.models.training.extra import require_training
from imforensics.models.training.progress import Progress
from imforensics.models.training.run_folder import open_run_folder
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import write_atomically

BUNDLE_FOLDER = "bundle"
CURVES_PICTURE = "curves.png"
REQUIRED = ("tensorflow", "keras", "tf2onnx", "sklearn")  # the last for the folds of the calibration


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training run ended with.

    Attributes:
        bundle_folder: the exported bundle.
        manifest: its facts, measurements included.
        reading: what the learning curves say.
        state: the rows of the training log.
    """

    bundle_folder: Path
    manifest: BundleManifest
    reading: CurveReading
    state: FitState


def train_detector(
    config: TrainDetectorConfig,
    run_folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainResult:
    """Train, evaluate and export a detector.

    Args:
        config: what to do.
        run_folder: gets config.yaml, checkpoints, logs, curves, metrics.json and the bundle.
        resume: go on with the run that is there.
        overwrite: delete the run that is there.
        progress: told of everything that takes long.

    Returns:
        The bundle's place and what was measured.

    Raises:
        MissingExtraError: a package of REQUIRED is not installed.
        DatasetError: a data set or split is missing.
        OutputExistsError, InterruptedRunError: see `open_run_folder`.
    """
    require_training("train-detector", REQUIRED)
    progress = progress or Progress()
    data = load_training_data(config)
    if data.twins_missing:
        progress.say(f"no twin protocol: {data.twins_missing}")
    with open_run_folder(run_folder, config, resume=resume, overwrite=overwrite):
        examples = data.examples[config.pairs]
        train = _prepare(config, examples["train"], "training inputs", progress)
        validation = _prepare(config, examples["val"], "validation inputs", progress)
        checkpoint = fit_classifier(config, train, validation, run_folder, progress=progress)
        reading = _write_curves(config, checkpoint.state, run_folder)
        manifest = write_bundle(
            config, data, checkpoint, validation.inputs, run_folder / BUNDLE_FOLDER, progress=progress
        )
        for name in ("metrics.json", "MODEL_CARD.md"):
            write_atomically(run_folder / name, (run_folder / BUNDLE_FOLDER / name).read_bytes())
        for name in ("config.yaml", LOG_FILE, CURVES_PICTURE, "curves.md"):
            write_atomically(run_folder / BUNDLE_FOLDER / name, (run_folder / name).read_bytes())
        return TrainResult(run_folder / BUNDLE_FOLDER, manifest, reading, checkpoint.state)


def _prepare(
    config: TrainDetectorConfig, examples: list[Example], stage: str, progress: Progress
) -> LabelledInputs:
    inputs = prepare_inputs(examples, config.input, workers=config.workers, stage=stage, progress=progress)
    return LabelledInputs(inputs, labels_of(examples), unit=1 if config.pairs == "raw" else 2)


def _write_curves(config: TrainDetectorConfig, state: FitState, run_folder: Path) -> CurveReading:
    reading = read_curves(state.rows, kept=state.best_epoch)
    title = f"{config.name}: {reading.verdict.replace('_', ' ')}"
    draw_curves(state.rows, run_folder / CURVES_PICTURE, title=title, kept=state.best_epoch)
    write_atomically(run_folder / "curves.json", reading.model_dump_json(indent=2) + "\n")
    write_atomically(run_folder / "curves.md", format_reading(reading))
    return reading
