"""What an evaluation found, as one document, and the files it is written to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from imforensics import __version__
from imforensics.config import dump_config
from imforensics.metrics.intervals import CONFIDENCE
from imforensics.outputs import write_atomically
from imforensics.pipeline.evaluate.baselines import (
    Shown,
    collect_shown,
    summarize_centre_prior,
    summarize_shortcut,
)
from imforensics.pipeline.evaluate.columns import Case, Column, Columns, Condition, collect_columns
from imforensics.pipeline.evaluate.plan import Evaluation, trial_records
from imforensics.pipeline.evaluate.protocols import PROTOCOLS, ROBUSTNESS_UNITS
from imforensics.pipeline.evaluate.statement import STATEMENT
from imforensics.pipeline.evaluate.summary import Figures, headline, summarize_column
from imforensics.pipeline.evaluate.worker import build_entry, read_trial_mask, show_trial
from imforensics.provenance import find_commit
from imforensics.report.evaluation import CaseView, EvaluationFiles, Series, write_evaluation
from imforensics.types import JsonValue

SCHEMA_VERSION = "1.1"


def summarize(evaluation: Evaluation, *, command_line: Sequence[str] = ()) -> tuple[Figures, Columns]:
    """Everything the records amount to.

    Args:
        evaluation: run; trials that were not run are counted as missing.
        command_line: as given by the user.

    Returns:
        The document, JSON-ready (docs/evaluation.md lists its fields), and the columns it was made from.
    """
    request, config = evaluation.request, evaluation.config
    shown: dict[Condition, list[Shown]] = {}
    columns = collect_columns(collect_shown(trial_records(evaluation), shown))
    main = _main_condition(columns)
    has_curves = request.protocol == "robustness" or bool(request.kinds)
    bootstrap = {"seed": request.seed, "n_resamples": config.resamples}
    document: Figures = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "imforensics", "version": __version__, "commit": find_commit()},
        "command": list(command_line),
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": _describe_data(evaluation),
        "protocol": {
            "name": request.protocol,
            "description": PROTOCOLS[request.protocol],
            "seed": request.seed,
            "kinds": list(request.kinds),
            "left_out": [{"image": name, "reason": reason} for name, reason in evaluation.plan.left_out],
        },
        "intervals": {"confidence": CONFIDENCE, "resamples": config.resamples, "unit": "source group"},
        "shortcut": summarize_shortcut(shown.get(main, []), **bootstrap),
        "centre_prior": summarize_centre_prior(
            ((picture.group, picture.centre) for picture in shown.get(main, [])), **bootstrap
        ),
        "methods": {
            entry.key: {
                "settings": evaluation.settings[entry.key],
                **summarize_column(
                    columns.get((entry.key, main), Column()),
                    **bootstrap,
                    thresholds=evaluation.thresholds[entry.key],
                ),
            }
            for entry in evaluation.entries
        },
        "robustness": _robustness(evaluation, columns) if has_curves else None,
    }
    return document, columns


def write_results(
    evaluation: Evaluation, document: Mapping[str, Any], columns: Columns, folder: Path
) -> EvaluationFiles:
    """Write metrics.json, per_image.csv, results.md, pictures, evaluation.html and the resolved config.

    Args:
        evaluation: run.
        document: of `summarize`.
        columns: of `summarize`.
        folder: results folder.

    Returns:
        Where everything is.
    """
    main = _main_condition(columns)
    series = {
        entry.key: _series(columns[entry.key, main].cases)
        for entry in evaluation.entries
        if (entry.key, main) in columns
    }
    resolved = evaluation.config.model_copy(
        update={
            "methods": {key: cast("dict[str, Any]", value) for key, value in _options(evaluation).items()}
        }
    )
    write_atomically(folder / "config.yaml", dump_config(resolved))
    return write_evaluation(
        document,
        folder,
        rows=trial_records(evaluation),
        series=series,
        cases={key: tuple(views) for key, views in _all_cases(evaluation, columns, main)},
    )


def _main_condition(columns: Columns) -> Condition:
    """The condition that the figures are about: the files as they are, or the protocol's one treatment."""
    conditions = {condition for _, condition in columns}
    raw = ("raw", 0.0)
    if raw in conditions or not conditions:
        return raw
    return min(conditions)


def _describe_data(evaluation: Evaluation) -> Figures:
    dataset, request = evaluation.dataset, evaluation.request
    samples = {trial.sample.image_path: trial.sample for trial in evaluation.plan.trials}
    return {
        "dataset": dataset.name,
        "title": dataset.card.title,
        "split": request.split,
        "limit": request.limit,
        "images": len(samples),
        "authentic": sum(sample.label == 0 for sample in samples.values()),
        "tampered": sum(sample.label == 1 for sample in samples.values()),
        "groups": len({sample.group for sample in samples.values()}),
        "trials": len(evaluation.plan.trials),
        "mask_defects": sum(defect.image_path in samples for defect in dataset.mask_defects),
        "known_defects": list(dataset.card.defects),
    }


def _robustness(evaluation: Evaluation, columns: Columns) -> dict[str, list[JsonValue]]:
    """Headline figures of every method at every point of the grid, in the order of the plan."""
    order = dict.fromkeys(
        (t.condition, 0.0 if t.chain is None else t.chain.strength) for t in evaluation.plan.trials
    )
    settings = {"seed": evaluation.request.seed, "n_resamples": evaluation.config.resamples}
    return {
        entry.key: [
            {
                "condition": name,
                "strength": strength,
                "unit": ROBUSTNESS_UNITS.get(name),
                **headline(columns.get((entry.key, (name, strength)), Column()), **settings),
            }
            for name, strength in order
        ]
        for entry in evaluation.entries
    }


def _options(evaluation: Evaluation) -> dict[str, Any]:
    return {
        entry.method: cast("dict[str, Any]", evaluation.settings[entry.key])["options"]
        for entry in evaluation.entries
        if entry.key == entry.method != STATEMENT
    } or evaluation.config.methods


def _series(cases: Sequence[Case]) -> Series:
    scored = [case for case in cases if case.status == "ok" and case.score is not None]
    rated = [case for case in scored if case.log10_lr is not None]
    return Series(
        labels=tuple(case.label for case in scored),
        scores=tuple(cast("float", case.score) for case in scored),
        rated_labels=tuple(case.label for case in rated),
        log10_lrs=tuple(cast("float", case.log10_lr) for case in rated),
    )


def _all_cases(
    evaluation: Evaluation, columns: Columns, main: Condition
) -> Iterator[tuple[str, Iterator[CaseView]]]:
    for entry in evaluation.entries:
        column = columns.get((entry.key, main))
        if column is not None and evaluation.config.cases:
            yield entry.key, _case_views(evaluation, entry.key, column)


def _case_views(evaluation: Evaluation, key: str, column: Column) -> Iterator[CaseView]:
    """The best and the worst cases of an entry, analyzed once more to show what was seen."""
    method = build_entry(next(entry for entry in evaluation.entries if entry.key == key))
    trials = {trial.id: trial for trial in evaluation.plan.trials}
    config = evaluation.config
    for kind, case, merit in _choose_cases(column.cases, config.cases):
        trial = trials[case.trial]
        evidence = show_trial(trial, max_pixels=config.max_pixels)
        mask = read_trial_mask(trial, evidence, encoding=evaluation.dataset.card.mask_encoding)
        finding = method.analyze(evidence)
        yield CaseView(kind, case.trial, case.label, case.score, merit, evidence.pixels, mask, finding.map)


def _choose_cases(cases: Sequence[Case], count: int) -> Iterator[tuple[str, Case, str]]:
    """Tampered images by pixel AUC where there are maps, else all images by score against class."""
    located = [case for case in cases if case.label == 1 and case.pixel is not None]
    ranked: list[tuple[float, str, Case]] = []
    if located:
        for case in located:
            value = (case.pixel or {}).get("auc")
            if value is not None:
                ranked.append((value, f"pixel AUC {value:.3f}", case))
    else:
        for case in cases:
            if case.status == "ok" and case.score is not None:
                merit = case.score if case.label == 1 else 1 - case.score
                ranked.append((merit, f"score {case.score:.3f}", case))
    ranked.sort(key=lambda item: (-item[0], item[2].trial))
    count = min(count, (len(ranked) + 1) // 2)
    best, worst = ranked[:count], ranked[count:][::-1][:count]
    yield from (("best", case, merit) for _, merit, case in best)
    yield from (("worst", case, merit) for _, merit, case in worst)
