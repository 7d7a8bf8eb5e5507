"""How far the fits of a GAN run are, and their checkpoints: every variable, bit by bit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from imforensics.models.training.checkpoints import STATE_FILE, newest_checkpoint, replace_checkpoint
from imforensics.models.training.variables import Groups, save_arrays, unreadable_checkpoint

WEIGHTS_FILE = "weights.npz"
BEST_WEIGHTS_FILE = "best.npz"


class GanRow(BaseModel):
    """One epoch of the adversarial fit; losses are mean binary cross-entropies in nats.

    Attributes:
        epoch: counted from 1.
        generator: loss of the generator: how surely its images are called generated.
        discriminator_real: loss of the discriminator on training images.
        discriminator_fake: its loss on generated images.
        total: the three together.
        val_discriminator_real: its loss on validation images, without augmentation and dropout.
        train_discriminator_real: the same on as many training images; far below the former, it knows them by
            heart.
        kernel_distance: of generated to validation images, None in epochs without a look.
        diversity: how much samples differ from each other, as a share of what training images do, None
            likewise.
        seconds: the epoch took, without that look.
        steps_per_second: of the fit.
    """

    model_config = ConfigDict(frozen=True)

    epoch: int
    generator: float
    discriminator_real: float
    discriminator_fake: float
    total: float
    val_discriminator_real: float
    train_discriminator_real: float
    kernel_distance: float | None = None
    diversity: float | None = None
    seconds: float
    steps_per_second: float


class EncoderRow(BaseModel):
    """One epoch of the encoder's fit.

    Attributes:
        epoch: counted from 1.
        loss: what was minimized, on training images while it learned.
        mse: mean squared error of reconstructed training images in [0, 1].
        ssim: their mean structural similarity.
        val_mse: of validation images, whole and patches in the configured shares.
        val_ssim: likewise.
        seconds: the epoch took.
        images_per_second: of the fit.
    """

    model_config = ConfigDict(frozen=True)

    epoch: int
    loss: float
    mse: float
    ssim: float
    val_mse: float
    val_ssim: float
    seconds: float
    images_per_second: float


RowT = TypeVar("RowT", GanRow, EncoderRow)


@dataclass(frozen=True, slots=True)
class GanFitState(Generic[RowT]):
    """How far one of the two fits is.

    Attributes:
        rows: one per finished epoch.
        best_epoch: the epoch that is kept so far, 0 before the first.
        stopped: True when early stopping has ended the fit.
    """

    rows: tuple[RowT, ...] = ()
    best_epoch: int = 0
    stopped: bool = False

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.rows)


def save_state(folder: Path, state: GanFitState[Any], groups: Groups, *, keep: str | None = None) -> Path:
    """Checkpoint a fit after an epoch; the checkpoint before is replaced as a whole.

    Args:
        folder: of the fit's checkpoints.
        state: with the finished epoch in it.
        groups: name to variables.
        keep: the group whose best state is kept beside the last one; None keeps the last only.

    Returns:
        The checkpoint's folder.
    """
    previous = newest_checkpoint(folder)

    def fill(partial: Path) -> None:
        save_arrays(partial / WEIGHTS_FILE, groups)
        if keep is not None:
            best = partial / BEST_WEIGHTS_FILE
            if previous is None or state.best_epoch == state.epoch:
                save_arrays(best, {keep: groups[keep]})
            else:
                shutil.copyfile(previous / BEST_WEIGHTS_FILE, best)
        content = {
            "rows": [row.model_dump() for row in state.rows],
            "best_epoch": state.best_epoch,
            "stopped": state.stopped,
        }
        (partial / STATE_FILE).write_text(json.dumps(content), encoding="utf-8")

    return replace_checkpoint(folder, state.epoch, fill)


def load_state(folder: Path, row_type: type[RowT]) -> tuple[GanFitState[RowT], Path | None]:
    """The newest checkpoint's state and folder; an empty state and None where there is none.

    Raises:
        InterruptedRunError: a checkpoint is there and cannot be read.
    """
    newest = newest_checkpoint(folder)
    if newest is None:
        return GanFitState(), None
    try:
        content = json.loads((newest / STATE_FILE).read_text(encoding="utf-8"))
        rows = tuple(row_type.model_validate(row) for row in content["rows"])
        return GanFitState(rows, int(content["best_epoch"]), bool(content["stopped"])), newest
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise unreadable_checkpoint(newest, error) from error
