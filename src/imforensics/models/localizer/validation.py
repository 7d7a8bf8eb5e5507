"""What a localizer reaches on held-out pictures, all together and by where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.metrics.curves import f1_over_thresholds
from imforensics.metrics.detection import roc_auc
from imforensics.models.localizer.feed import UNTOUCHED
from imforensics.models.localizer.learning import measure_losses, network_inputs, truths
from imforensics.preprocessing.logistic import logistic

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from imforensics.models.localizer.config import LocalizerFitConfig
    from imforensics.models.localizer.feed import LocalizerBatch
    from imforensics.types import JsonValue

ALARM = 0.5  # probability of a block


@dataclass(frozen=True, slots=True)
class Reached:
    """Figures of some pictures; NaN where they hold no tampered one.

    Attributes:
        pixel_auc: of blocks, mean over tampered pictures.
        f1: of blocks at 0.5, likewise.
        image_auc: of the score.
        tampered: number of tampered pictures.
    """

    pixel_auc: float
    f1: float
    image_auc: float
    tampered: int


@dataclass(frozen=True, slots=True)
class Validation:
    """One look at the validation batches.

    Attributes:
        loss: mean sum of the parts.
        overall: of all pictures.
        by_origin: of the pictures of each origin with tampered ones.
        untouched_alarms: share of the untouched photographs with a block above ALARM; None without such.
        labels: (N,) 1 tampered.
        scores: (N,) logits.
        origins: of the N pictures.
    """

    loss: float
    overall: Reached
    by_origin: dict[str, Reached]
    untouched_alarms: float | None
    labels: NDArray[np.float32]
    scores: NDArray[np.float32]
    origins: tuple[str, ...]


def validate(network: keras.Model, batches: Sequence[LocalizerBatch], fit: LocalizerFitConfig) -> Validation:
    """Measure a float32 network.

    Args:
        network: the whole of a `Localizer`.
        batches: what it is shown, at least one.
        fit: weights of the loss.
    """
    losses, peaks, aucs, f1s = [], [], [], []
    scores, labels = [], []
    origins: list[str] = []
    for batch in batches:
        inputs = {name: np.asarray(value, np.float32) for name, value in network_inputs(batch).items()}
        outputs = network(inputs, training=False)
        losses.append(
            float(sum(float(part) for part in measure_losses(fit, truths(batch), outputs).values()))
        )
        probabilities = logistic(np.asarray(outputs[0])[..., 0])
        for probability, marks, label in zip(
            probabilities, batch.marks[..., 0] >= 0.5, batch.labels, strict=True
        ):
            peaks.append(float(probability.max()))
            has_both = bool(label[0]) and 0 < marks.mean() < 1
            aucs.append(roc_auc(probability, marks) if has_both else np.nan)
            f1s.append(f1_over_thresholds(probability, marks, thresholds=[ALARM])[0] if has_both else np.nan)
        scores.append(np.asarray(outputs[2])[:, 0])
        labels.append(batch.labels[:, 0])
        origins += batch.origins
    columns = (np.array(aucs), np.array(f1s), np.concatenate(scores), np.concatenate(labels))
    where = np.array(origins)
    untouched = np.array(peaks)[np.isin(where, UNTOUCHED)]
    return Validation(
        loss=float(np.mean(losses)),
        overall=_summarize(*columns),
        by_origin={
            name: _summarize(*(column[where == name] for column in columns))
            for name in sorted(set(origins) - set(UNTOUCHED))
        },
        untouched_alarms=float((untouched >= ALARM).mean()) if len(untouched) else None,
        labels=columns[3],
        scores=columns[2],
        origins=tuple(origins),
    )


def _summarize(
    aucs: NDArray[np.float64],
    f1s: NDArray[np.float64],
    scores: NDArray[np.float32],
    labels: NDArray[np.float32],
) -> Reached:
    known = ~np.isnan(aucs)
    if not known.any() or len(np.unique(labels)) < 2:
        return Reached(np.nan, np.nan, np.nan, int(labels.sum()))
    return Reached(
        float(aucs[known].mean()),
        float(f1s[known].mean()),
        roc_auc(scores, labels),
        int(labels.sum()),
    )


def describe_validation(validation: Validation) -> dict[str, JsonValue]:
    """The figures as JSON; those that are not defined are null."""
    return {
        "loss": _json_number(validation.loss),
        "overall": _describe_reached(validation.overall),
        "by_origin": {name: _describe_reached(reached) for name, reached in validation.by_origin.items()},
        "untouched_alarms": validation.untouched_alarms,
    }


def _describe_reached(reached: Reached) -> dict[str, JsonValue]:
    return {name: _json_number(value) for name, value in asdict(reached).items()}


def _json_number(value: float) -> float | None:
    return value if np.isfinite(value) else None
