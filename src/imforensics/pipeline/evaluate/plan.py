"""Evaluate methods on a data set: plan the trials, run them in processes, keep records, sum up."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imforensics import __version__
from imforensics.config import EvaluateConfig, config_digest
from imforensics.cores import available_cores
from imforensics.datasets.base import Dataset, load_dataset, load_split
from imforensics.engines.local import run_in_processes
from imforensics.errors import ConfigError, InterruptedRunError
from imforensics.models.classifier.bundle import load_bundle
from imforensics.models.kinds import KINDS, read_kind
from imforensics.outputs import OutputFolder, claim_folder, refuse_rescanned, write_atomically
from imforensics.pipeline.evaluate.protocols import ProtocolName, Trial, TrialPlan, limit_samples, plan_trials
from imforensics.pipeline.evaluate.statement import entry_options
from imforensics.pipeline.evaluate.store import RecordStore
from imforensics.pipeline.evaluate.worker import (
    Entry,
    Task,
    WorkerSettings,
    build_entry,
    error_records,
    evaluate_task,
    prepare_worker,
)
from imforensics.store import Row
from imforensics.types import JsonValue

PLAN_FILE = "plan.json"
RECORDS_FILE = "records.jsonl"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be evaluated on what.

    Attributes:
        dataset: name of a data set adapter.
        split: train, val, test or all.
        protocol: key of PROTOCOLS.
        root: folder of the set; None looks below the folder that IMFORENSICS_DATA names.
        seed: of the random chains and the bootstrap.
        limit: at most so many images of the split, whole source groups, drawn by the seed; None takes all.
        methods: names of methods; their options are the configuration's.
        bundles: shipped names or folders of trained bundles, run beside the methods.
        kinds: of processing, see `plan_trials`; sorted, each once: neither order nor repetition matters.
        keeps_marks: records hold what maps would mark at each of many thresholds, see `describe_marks`.
        share: of the images of each group, see `limit_samples`.
    """

    dataset: str
    split: str
    protocol: ProtocolName
    root: Path | None = None
    seed: int = 0
    limit: int | None = None
    methods: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    keeps_marks: bool = False
    share: float = 1.0

    def __post_init__(self) -> None:
        """Bring the kinds into one order, whatever the command line's."""
        object.__setattr__(self, "kinds", tuple(sorted(set(self.kinds))))


@dataclass(frozen=True)
class Evaluation:
    """One evaluation, planned: what is to do and what an earlier run has done.

    Attributes:
        request: what was asked for.
        config: of the methods.
        dataset: the set.
        plan: every trial.
        entries: every method of the comparison.
        thresholds: entry to thresholds of its score by policy, chosen on other data.
        todo: what still has to be run.
        done: number of records of earlier runs that hold.
        store: records.
        folder: where results go; None where they are kept for this process only.
        settings: every parameter in force of each entry, bundles and tool version included.
        output: the folder, claimed for as long as the evaluation lives.
    """

    request: Request
    config: EvaluateConfig
    dataset: Dataset
    plan: TrialPlan
    entries: tuple[Entry, ...]
    thresholds: Mapping[str, Mapping[str, float]]
    todo: tuple[Task, ...]
    done: int
    store: RecordStore
    folder: Path | None
    settings: Mapping[str, JsonValue]
    output: OutputFolder | None = None

    def run(self, *, workers: int | None = None) -> Iterator[list[Row]]:
        """Run what is to do; the records of a trial are stored before they are given.

        Args:
            workers: number of processes; None takes every core.

        Yields:
            The new records of one trial, one for each entry that had to look at it.
        """
        if not self.todo:
            return
        card, marks = self.dataset.card, self.request.keeps_marks
        settings = WorkerSettings(self.entries, self.config.max_pixels, card.mask_encoding, marks)
        outcomes = run_in_processes(
            evaluate_task,
            self.todo,
            workers=min(workers or available_cores(), len(self.todo)),
            timeout_seconds=self.config.timeout_seconds,
            initializer=prepare_worker,
            initializer_arguments=(settings,),
        )
        try:
            for outcome in outcomes:
                rows = outcome.result or error_records(outcome.item, "crashed", outcome.error or "no result")
                for row in rows:
                    self.store.append(row)
                yield rows
        finally:
            self.store.close()

    def close(self) -> None:
        """Drop the records of an evaluation without an output folder."""
        self.store.close()
        if self.output is not None:
            self.output.close()
        if self.folder is None:
            shutil.rmtree(self.store.path.parent, ignore_errors=True)


def plan_evaluation(
    request: Request, config: EvaluateConfig, *, folder: Path | None = None, overwrite: bool = False
) -> Evaluation:
    """Find out what has to be run.

    A record holds where the image, its mask, the trial and the entry's settings are those it was made with;
    any other is made again. Adding a method to an evaluation runs that method only.

    Args:
        request: what is to be evaluated.
        config: options of the methods, limits.
        folder: results folder, made where it does not exist; None keeps none.
        overwrite: drop the results in `folder`, of whatever evaluation they are.

    Raises:
        ConfigError: unknown methods or options, or none at all.
        BundleError: a bundle is missing or damaged.
        DatasetError: the set is missing, or the split or protocol gives nothing.
        InterruptedRunError: the folder holds another evaluation.
        OutputExistsError: the folder holds something that no evaluation wrote, or lies where images are read.
    """
    entries = make_entries(config, request.methods, request.bundles)
    dataset = load_dataset(request.dataset, request.root)
    samples = load_split(dataset, request.split)
    samples = limit_samples(samples, request.limit, seed=request.seed, share=request.share)
    plan = plan_trials(dataset, samples, request.protocol, seed=request.seed, kinds=request.kinds)
    settings, thresholds = _describe_entries(entries, keeps_marks=request.keeps_marks)
    place = Path(tempfile.mkdtemp(prefix="imforensics-")) if folder is None else folder
    output = None if folder is None else _claim_folder(folder, request, dataset, overwrite=overwrite)
    store = RecordStore(place / RECORDS_FILE)
    todo, done = _find_todo(plan, settings, store)
    return Evaluation(
        request, config, dataset, plan, entries, thresholds, todo, done, store, folder, settings, output
    )


def make_entries(
    config: EvaluateConfig, methods: Sequence[str], bundles: Sequence[str] = ()
) -> tuple[Entry, ...]:
    """The entries of a comparison: each method, then each bundle with the method that runs it.

    Raises:
        ConfigError: there is none, or two have one name.
        BundleError: a bundle is missing or damaged.
    """
    entries = [Entry(name, name, entry_options(name, config)) for name in methods]
    entries += [_bundle_entry(bundle) for bundle in bundles]
    names = [entry.key for entry in entries]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(f"{repeated[0]} is named twice; name each method and bundle once")
    if not entries:
        raise ConfigError("there is no method to evaluate; name one with --method or --bundle")
    return tuple(entries)


def _bundle_entry(bundle: str) -> Entry:
    """The method that runs a bundle of its kind, under the bundle's own name."""
    kind = KINDS[read_kind(bundle)]
    return Entry(f"{kind.method} {kind.load(bundle).name}", kind.method, {"bundle": bundle})


def trial_records(evaluation: Evaluation) -> Iterator[Row]:
    """The records of this plan and these entries, one at a time, in the order of the file."""
    wanted = {trial.id for trial in evaluation.plan.trials}
    keys = {entry.key for entry in evaluation.entries}
    for row in evaluation.store.records():
        if row["trial"] in wanted and row["entry"] in keys:
            yield row


def _describe_entries(
    entries: Sequence[Entry], *, keeps_marks: bool
) -> tuple[dict[str, JsonValue], dict[str, Mapping[str, float]]]:
    settings: dict[str, JsonValue] = {}
    thresholds: dict[str, Mapping[str, float]] = {}
    for entry in entries:
        method = build_entry(entry)
        options = method.options.model_dump(mode="json")
        settings[entry.key] = {
            "method": entry.method,
            "options": options,
            "bundles": dict(method.bundle_digests),
            "version": __version__,
            "marks": keeps_marks,
        }
        thresholds[entry.key] = (
            load_bundle(options["bundle"]).manifest.thresholds
            if "bundle" in options and read_kind(options["bundle"]) == "classifier"
            else {}
        )
    return settings, thresholds


def _find_todo(
    plan: TrialPlan, settings: Mapping[str, JsonValue], store: RecordStore
) -> tuple[tuple[Task, ...], int]:
    todo, done = [], 0
    for trial in plan.trials:
        shown = _fingerprint(trial)
        digests = {key: config_digest({"trial": shown, "entry": value}) for key, value in settings.items()}
        missing = {key: digest for key, digest in digests.items() if not store.has((trial.id, key), digest)}
        done += len(digests) - len(missing)
        if missing:
            todo.append(Task(trial, missing))
    return tuple(todo), done


def _fingerprint(trial: Trial) -> str:
    """What a record rests on: the files by size and time of change, and what is done to them."""
    files = (trial.sample.image_path, trial.sample.mask_path, trial.tables_from)
    stamps = []
    for path in files:
        try:
            stat = None if path is None else path.stat()
        except OSError:
            stat = None
        stamps.append(None if stat is None else (path and path.name, stat.st_size, stat.st_mtime_ns))
    sample = replace(trial.sample, image_path=Path(), mask_path=None)
    return repr((stamps, sample, trial.chain, trial.pair))


def _claim_folder(folder: Path, request: Request, dataset: Dataset, *, overwrite: bool) -> OutputFolder:
    plan = {name: getattr(request, name) for name in ("dataset", "split", "protocol", "seed", "limit")}
    plan |= {"root": str(dataset.root.resolve())} | ({"kinds": list(request.kinds)} if request.kinds else {})
    read = [path for sample in dataset.samples for path in (sample.image_path, sample.mask_path) if path]
    refuse_rescanned(folder, {path.parent for path in read} - {dataset.root})
    output = claim_folder(folder, "evaluation", inputs=read)
    with output.kept():
        if overwrite:
            output.clear()
        output.check(may_differ=True)
        if not output.is_empty and _read_plan(folder) != plan:
            raise InterruptedRunError(
                f"{folder} holds another evaluation (other data, split, protocol, kinds, seed or limit). "
                "Name another folder, or --overwrite"
            )
        write_atomically(folder / PLAN_FILE, json.dumps(plan, indent=2) + "\n")
    return output


def _read_plan(folder: Path) -> Any:
    try:
        return json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
