"""Learning curves: a plain-words reading by stated rules, and the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from imforensics.models.training.checkpoints import EpochRow
from imforensics.outputs import replacing_file

Verdict = Literal["too_short", "underfitting", "overfitting", "still_improving", "converging"]

CHANCE_LOSS = math.log(2)  # binary cross-entropy of an even guess, in nats
MIN_EPOCHS = 4
TAIL = 3  # epochs averaged at the end, against the noise of a single one
LEARNED = 0.9  # a training loss above this share of CHANCE_LOSS has learned next to nothing
RISE = 1.1  # the validation loss rises when its tail is this many times its minimum
IMPROVING_SHARE = 0.15  # the best epoch lies in this last share of all epochs
IMPROVING_FALL = 0.02  # and the validation loss fell by this share over it

RULES = (
    f"too_short: fewer than {MIN_EPOCHS} epochs.",
    f"underfitting: the lowest training loss stays above {LEARNED:.0%} of ln 2, the loss of an even guess.",
    f"overfitting: over the last {TAIL} epochs the mean validation loss is at least {RISE - 1:.0%} above its "
    "minimum while the mean training loss is below its value at that minimum.",
    f"still_improving: the best epoch is in the last {IMPROVING_SHARE:.0%} of all epochs and the validation "
    f"loss fell by {IMPROVING_FALL:.0%} or more over them.",
    "converging: none of these; the validation loss has levelled off.",
)


class CurveReading(BaseModel):
    """What the learning curves say.

    Attributes:
        verdict: the first rule of RULES that holds.
        sentences: the reading in words, with the figures.
        kept_epoch: the epoch whose network is kept, 0 without rows.
        rules: the rules themselves.
    """

    model_config = ConfigDict(frozen=True)

    verdict: Verdict
    sentences: tuple[str, ...]
    kept_epoch: int
    rules: tuple[str, ...] = RULES


def read_curves(rows: Sequence[EpochRow], *, kept: int | None = None) -> CurveReading:
    """Say by RULES whether a fit converged, overfits, underfits, would go on improving, or was too short.

    Args:
        rows: one per epoch, in order.
        kept: the epoch whose network is kept; None takes the one with the lowest validation loss.

    Returns:
        The reading; its verdict depends on the losses alone.
    """
    if len(rows) < MIN_EPOCHS:
        sentence = f"Only {len(rows)} epochs: too few to read the curves. Train longer."
        return CurveReading(
            verdict="too_short", sentences=(sentence,), kept_epoch=_lowest(rows) if kept is None else kept
        )
    train = np.array([row.loss for row in rows])
    validation = np.array([row.val_loss for row in rows])
    best = int(validation.argmin())
    verdict = _judge(train, validation, best)
    kept = _lowest(rows) if kept is None else kept
    sentences = (_WORDS[verdict], _tell_losses(rows, best), _tell_gap(rows[kept - 1]))
    return CurveReading(verdict=verdict, sentences=sentences, kept_epoch=kept)


def draw_curves(rows: Sequence[EpochRow], path: Path, *, title: str, kept: int) -> None:
    """Draw training and validation loss and accuracy over the epochs.

    Args:
        rows: one per epoch, in order.
        path: PNG to write.
        title: of the picture.
        kept: the epoch whose network is kept; it is marked.
    """
    from matplotlib.figure import Figure

    epochs = [row.epoch for row in rows]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(epochs, [row.loss for row in rows], "-", color="#0072b2", label="training")
    loss.plot(epochs, [row.val_loss for row in rows], "--", color="#d55e00", label="validation")
    loss.axhline(CHANCE_LOSS, color="0.6", linewidth=0.8, linestyle=":", label="even guess")
    loss.set_ylabel("binary cross-entropy (nats)")
    accuracy.plot(epochs, [row.accuracy for row in rows], "-", color="#0072b2", label="training")
    accuracy.plot(epochs, [row.val_accuracy for row in rows], "--", color="#d55e00", label="validation")
    accuracy.set_ylabel("accuracy at 0.5")
    for axes in (loss, accuracy):
        axes.axvline(kept, color="0.4", linewidth=0.8, label=f"kept (epoch {kept})")
        axes.set_xlabel("epoch")
        axes.legend(fontsize="small")
    figure.suptitle(title)
    with replacing_file(path) as part:
        figure.savefig(part, dpi=110, metadata={"Software": None})


def format_reading(reading: CurveReading) -> str:
    """The reading as Markdown."""
    words = "\n".join(f"- {sentence}" for sentence in reading.sentences)
    rules = "\n".join(f"{number}. {rule}" for number, rule in enumerate(reading.rules, start=1))
    return (
        f"# Learning curves: {reading.verdict.replace('_', ' ')}\n\n{words}\n\n"
        f"The first of these rules that holds gives the reading:\n\n{rules}\n"
    )


_WORDS: dict[Verdict, str] = {
    "underfitting": "Underfitting: the network has learned next to nothing of its training images.",
    "overfitting": "Overfitting: the validation loss rises while the training loss goes on falling.",
    "still_improving": "Still improving: the validation loss was falling when the fit ended; train longer.",
    "converging": "Converging: the validation loss has levelled off.",
}


def _judge(train: np.ndarray, validation: np.ndarray, best: int) -> Verdict:
    if train.min() > LEARNED * CHANCE_LOSS:
        return "underfitting"
    if validation[-TAIL:].mean() >= RISE * validation[best] and train[-TAIL:].mean() < train[best]:
        return "overfitting"
    start = min(math.ceil(len(validation) * (1 - IMPROVING_SHARE)), len(validation) - 2)
    fell = validation[start - 1] - validation[best] >= IMPROVING_FALL * validation[start - 1]
    if best >= start and fell:
        return "still_improving"
    return "converging"


def _tell_losses(rows: Sequence[EpochRow], best: int) -> str:
    return (
        f"Over {len(rows)} epochs the training loss went from {rows[0].loss:.3f} to {rows[-1].loss:.3f}, the "
        f"validation loss from {rows[0].val_loss:.3f} to {rows[-1].val_loss:.3f}; its minimum "
        f"{rows[best].val_loss:.3f} came in epoch {rows[best].epoch} (an even guess costs {CHANCE_LOSS:.3f})."
    )


def _tell_gap(kept: EpochRow) -> str:
    return (
        f"The network of epoch {kept.epoch} is kept; its accuracy is {kept.accuracy:.1%} on training images "
        f"(while it learned), {kept.val_accuracy:.1%} on validation images."
    )


def _lowest(rows: Sequence[EpochRow]) -> int:
    return min(rows, key=lambda row: row.val_loss).epoch if rows else 0
