"""Training an autoencoder, from the configuration to the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.data import load_autoencoder_data
from imforensics.models.autoencoder.fit import AutoencoderState, fit_autoencoder
from imforensics.models.autoencoder.manifest import AutoencoderManifest
from imforensics.models.autoencoder.writer import write_autoencoder_bundle
from imforensics.models.training.extra import require_training
from imforensics.models.training.progress import Progress
from imforensics.models.training.run_curves import CURVES_PICTURE, CURVES_WORDS, write_curves
from imforensics.models.training.run_folder import CONFIG_FILE, open_run_folder
from imforensics.models.training.run_readings import RunReading
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import write_atomically

BUNDLE_FOLDER = "bundle"
REQUIRED = ("tensorflow", "keras", "tf2onnx")


@dataclass(frozen=True, slots=True)
class TrainAutoencoderResult:
    """What a training run ended with.

    Attributes:
        bundle_folder: the exported bundle.
        manifest: its facts, measurements included.
        reading: what the learning curves say.
        state: the rows of the training log.
    """

    bundle_folder: Path
    manifest: AutoencoderManifest
    reading: RunReading
    state: AutoencoderState


def train_autoencoder(
    config: TrainAutoencoderConfig,
    run_folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainAutoencoderResult:
    """Train, measure and export an autoencoder.

    A finished run that is resumed is measured and exported again, and nothing is fitted.

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
        DatasetError: what is learned from is missing.
        OutputExistsError, InterruptedRunError: see `open_run_folder`.
    """
    require_training("train-autoencoder", REQUIRED)
    progress = progress or Progress()
    data = load_autoencoder_data(config.data, seed=config.seed, progress=progress)
    with open_run_folder(run_folder, config, resume=resume, overwrite=overwrite):
        checkpoint = fit_autoencoder(config, data, run_folder, progress=progress)
        reading = write_curves(run_folder)
        bundle = run_folder / BUNDLE_FOLDER
        manifest = write_autoencoder_bundle(config, data, checkpoint, bundle, progress=progress)
        for name in ("metrics.json", "MODEL_CARD.md"):
            write_atomically(run_folder / name, (bundle / name).read_bytes())
        for name in (CONFIG_FILE, LOG_FILE, CURVES_PICTURE, CURVES_WORDS):
            write_atomically(bundle / name, (run_folder / name).read_bytes())
        return TrainAutoencoderResult(bundle, manifest, reading, checkpoint.state)
