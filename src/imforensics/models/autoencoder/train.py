"""Training an autoencoder, from the configuration to the bundle."""

from __future__ import annotations

from imforensics.models.autoencoder.card import format_autoencoder_card
from imforensics.models.autoencoder.config import TrainAutoencoderConfig
from imforensics.models.autoencoder.data import load_autoencoder_data
from imforensics.models.autoencoder.export import export_autoencoder
from imforensics.models.autoencoder.fit import fit_autoencoder
from imforensics.models.autoencoder.manifest import AutoencoderManifest
from imforensics.models.training.extra import require_training
from imforensics.models.training.run import TrainingRun, TrainResult

REQUIRED = ("tensorflow", "keras", "onnx")


def train_autoencoder(config: TrainAutoencoderConfig, run: TrainingRun) -> TrainResult[AutoencoderManifest]:
    """Train, measure and export an autoencoder.

    Args:
        config: what to do.
        run: gets config.yaml, checkpoints, logs, curves, metrics.json and the bundle.

    Returns:
        The bundle's place and what was measured.

    Raises:
        MissingExtraError: a package of REQUIRED is not installed.
        DatasetError: what is learned from is missing.
        OutputExistsError, InterruptedRunError: see `TrainingRun.open`.
    """
    require_training("train-autoencoder", REQUIRED)
    data = load_autoencoder_data(config.data, seed=config.seed, progress=run.progress)
    with run.open(config):
        model, state = fit_autoencoder(config, data, run.folder, progress=run.progress)
        parts, manifest = export_autoencoder(config, data, model, state, progress=run.progress)
        return run.finish(
            manifest,
            parts,
            card=format_autoencoder_card(manifest),
            state=state,
            figures={
                "reconstruction": [item.model_dump(mode="json") for item in manifest.measurements],
                "threshold": manifest.reference.threshold if manifest.reference else None,
            },
            metrics=manifest.model_dump(mode="json", include={"measurements", "reference"}),
        )
