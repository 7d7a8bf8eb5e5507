"""Training a localizer, from the configuration to the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.models.localizer_config import TrainLocalizerConfig
from imforensics.models.localizer_fit import LocalizerState, fit_localizer
from imforensics.models.progress import Progress
from imforensics.models.run_folder import open_run_folder
from imforensics.models.training_extra import require_training

if TYPE_CHECKING:
    from imforensics.models.localizer_validation import Validation

REQUIRED = ("tensorflow", "keras", "tf2onnx", "sklearn", "cv2")  # cv2 fills the regions of made removals


@dataclass(frozen=True, slots=True)
class TrainLocalizerResult:
    """What a training run ended with.

    Attributes:
        state: the rows of the training log.
        validation: of the network that is kept.
    """

    state: LocalizerState
    validation: Validation


def train_localizer(
    config: TrainLocalizerConfig,
    run_folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> TrainLocalizerResult:
    """Train and measure a localizer.

    Args:
        config: what to do.
        run_folder: gets config.yaml, checkpoints and logs.
        resume: go on with the run that is there.
        overwrite: delete the run that is there.
        progress: told of everything that takes long.

    Raises:
        MissingExtraError: a package of the extra `train` is not installed.
        DatasetError: a data set or split is missing.
        OutputExistsError, InterruptedRunError: see `open_run_folder`.
    """
    require_training("train-detector", REQUIRED)
    progress = progress or Progress()
    open_run_folder(run_folder, config, resume=resume, overwrite=overwrite)
    _, state, validation = fit_localizer(config, run_folder, progress=progress)
    return TrainLocalizerResult(state, validation)
