"""The data of a fusion: which pictures of each scored source enter, and why the others do not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from imforensics.metrics.fusion_model import FusionModel
from imforensics.models.fusion.bundle import FusionSource
from imforensics.pipeline.evaluate.plan import Evaluation, trial_records
from imforensics.pipeline.fusion.cases import (
    FusionCase,
    collect_cases,
    keep_pairs,
    keep_scored,
    keep_valid,
    mask_inexact,
    pair_made,
)
from imforensics.pipeline.fusion.config import TrainFusionConfig

FITTED_ROLES = ("twins", "made_pairs")


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One split of one data set.

    Attributes:
        number: of the set in the configuration, from 1.
        role: see `FusionSource`.
        split: "train" or "val".
        evaluation: scores it.
    """

    number: int
    role: str
    split: str
    evaluation: Evaluation

    @property
    def title(self) -> str:
        """Title of the data set; what it holds where that is known."""
        return "synthetic forgeries" if self.role == "made_pairs" else self.evaluation.dataset.card.title


@dataclass(frozen=True, slots=True)
class Part:
    """What one source gave.

    Attributes:
        source: that it is of.
        cases: pictures that enter.
        left_out: reason → number of pictures that do not.
        pairs: all complete pairs of twins, those of other encoders too.
    """

    source: PlannedSource
    cases: tuple[FusionCase, ...]
    left_out: Counter[str]
    pairs: tuple[FusionCase, ...] = ()


def read_part(source: PlannedSource, config: TrainFusionConfig) -> Part:
    """The pictures of one scored source that enter, and why the others do not."""
    # What a network scores on a training split is worth nothing, in sets that share sources with its own too.
    is_masked = source.role in FITTED_ROLES and source.split == "train"
    masked = [name for name, options in config.methods.items() if is_masked and "bundle" in options]
    records = trial_records(source.evaluation)
    cases, left_out = collect_cases(records, list(config.methods), masked=masked)
    order = {trial.id: number for number, trial in enumerate(source.evaluation.plan.trials)}
    cases = tuple(sorted(cases, key=lambda case: order[case.trial]))  # records come as they are done
    if source.role not in FITTED_ROLES:
        return Part(source, cases, left_out)
    if source.role == "made_pairs":
        cases = pair_made(cases, {trial.id: trial.sample.host for trial in source.evaluation.plan.trials})
    cases, silent = keep_scored(cases, config.required)
    pairs, broken = keep_pairs(cases, exact_only=False)
    kept, other = keep_pairs(pairs, exact_only=config.pairs == "exact_twin")
    return Part(source, mask_inexact(kept, config.exact_only), left_out + silent + broken + other, pairs)


def describe_part(part: Part, model: FusionModel) -> FusionSource:
    """The account of a part; photographs that the fusion is not valid for are left out."""
    valid, outside = keep_valid(part.cases, model)
    is_fitted = part.source.role in FITTED_ROLES
    return FusionSource.model_validate(
        {
            "dataset": part.source.evaluation.dataset.name,
            "split": part.source.split,
            "role": part.source.role,
            "trials": len(part.source.evaluation.plan.trials),
            "used": len(part.cases) if is_fitted else len(valid),
            "left_out": dict(part.left_out if is_fitted else part.left_out + outside),
        }
    )
