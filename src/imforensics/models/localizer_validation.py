"""What a localizer reaches on held-out pictures, all together and by where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.localizer_learning import measure_losses, network_inputs, truths

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from imforensics.models.localizer_config import LocalizerFitConfig
    from imforensics.models.localizer_feed import LocalizerBatch

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
        probabilities = 1 / (1 + np.exp(-np.asarray(outputs[0])[..., 0]))
        for probability, marks, label in zip(
            probabilities, batch.marks[..., 0] >= 0.5, batch.labels, strict=True
        ):
            peaks.append(float(probability.max()))
            has_both = bool(label[0]) and 0 < marks.mean() < 1
            aucs.append(_block_auc(probability, marks) if has_both else np.nan)
            f1s.append(_block_f1(probability >= ALARM, marks) if has_both else np.nan)
        scores.append(np.asarray(outputs[2])[:, 0])
        labels.append(batch.labels[:, 0])
        origins += batch.origins
    columns = (np.array(aucs), np.array(f1s), np.concatenate(scores), np.concatenate(labels))
    where = np.array(origins)
    untouched = np.array(peaks)[where == "untouched"]
    return Validation(
        loss=float(np.mean(losses)),
        overall=_summarize(*columns),
        by_origin={
            name: _summarize(*(column[where == name] for column in columns))
            for name in sorted(set(origins) - {"untouched"})
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
    from sklearn.metrics import roc_auc_score

    known = ~np.isnan(aucs)
    if not known.any() or len(np.unique(labels)) < 2:
        return Reached(np.nan, np.nan, np.nan, int(labels.sum()))
    return Reached(
        float(aucs[known].mean()),
        float(f1s[known].mean()),
        float(roc_auc_score(labels, scores)),
        int(labels.sum()),
    )


def _block_auc(probability: NDArray[np.float32], marks: NDArray[np.bool_]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(marks.ravel(), probability.ravel()))


def _block_f1(found: NDArray[np.bool_], marks: NDArray[np.bool_]) -> float:
    return float(2 * (found & marks).sum() / (found.sum() + marks.sum()))
