"""One experiment: what its YAML file says, the evaluations and records that it keeps, and its page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from imforensics import __version__
from imforensics.config import ConfigModel, EvaluateConfig, config_digest
from imforensics.cores import available_cores
from imforensics.datasets.base import Dataset, load_dataset, load_split
from imforensics.engines.local import run_in_processes
from imforensics.pipeline.evaluate.plan import Request, plan_evaluation, trial_records
from imforensics.pipeline.evaluate.results import summarize, write_results
from imforensics.pipeline.evaluate.statement import STATEMENT
from imforensics.pipeline.evaluate.store import RecordStore
from imforensics.types import Sample

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 900.0
ItemT = TypeVar("ItemT")
Found = dict[str, Any]


class Variant(ConfigModel):
    """A method with options of its own; those of `statement` are what `analyze` would be configured with."""

    method: str
    options: dict[str, Any] = Field(default_factory=dict)


class Run(ConfigModel):
    """What the methods are shown.

    Attributes:
        dataset: name of a data set adapter.
        protocols: of `imforensics evaluate`.
        root: folder of the set; None looks below the folder that IMFORENSICS_DATA names.
        split: train, val, test or all; None takes the experiment's.
        kinds: of processing besides, see `plan_trials`.
        entries: of the experiment's methods, bundles and variants, those that are run; None runs all.
    """

    dataset: str = "casia1"
    protocols: tuple[Any, ...] = ("raw",)
    root: Path | None = None
    split: str | None = None
    kinds: tuple[str, ...] = ()
    entries: tuple[str, ...] | None = None


class ExperimentConfig(ConfigModel):
    """What one YAML file of this folder may say.

    Attributes:
        title: of the page.
        about: paragraphs below it.
        page: file below docs/experiments/ that a whole run writes; None leaves results.md in its folder only.
        picture: file below docs/images/ for the curves over the strength of processing; None draws none.
        module: file of this folder whose `measure(experiment)` gives the tables; None makes `tables`.
        split: of every data set.
        seed: of everything random, the bootstrap included.
        limit: pictures of each data set; None takes all.
        methods: names, run with their defaults.
        bundles: shipped names or folders of bundles.
        variants: title to a method with options.
        runs: what they are evaluated on.
        tables: what is made of the evaluations, see tables.py.
        columns: of the table of figures, keys of `tables.COLUMNS`.
        options: for the module.
        quick: assignments that --quick lays over this.
    """

    title: str
    about: tuple[str, ...] = ()
    page: str | None = None
    picture: str | None = None
    module: str | None = None
    split: Literal["train", "val", "test", "all"] = "test"
    seed: int = 0
    limit: int | None = None
    methods: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    variants: dict[str, Variant] = Field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    tables: tuple[Literal["results", "figures", "alarms", "robustness"], ...] = ("figures",)
    columns: tuple[str, ...] = ("pixel AUC", "F1 fixed", "F1 at 0.5", "F1 best", "image AUC")
    options: dict[str, Any] = Field(default_factory=dict)
    quick: tuple[str, ...] = ("limit=12",)


@dataclass(frozen=True)
class Evaluated:
    """One evaluation: the document of metrics.json, and a record for each picture and entry.

    Attributes:
        run: what was shown.
        protocol: of `imforensics evaluate`.
        document: see docs/evaluation.md.
        rows: records without their pixel counts.
        title: of the variant, which goes before the method's name; None where the names are the entries'.
    """

    run: Run
    protocol: str
    document: Found
    rows: list[Found]
    title: str | None = None

    @property
    def methods(self) -> dict[str, Found]:
        """Title of each entry to its figures."""
        return {self.title or key: found for key, found in self.document["methods"].items()}

    def rows_of(self, title: str) -> list[Found]:
        """The records of an entry that gave a finding."""
        return [row for row in self.rows if row["status"] == "ok" and (self.title or row["entry"]) == title]


@dataclass
class Experiment:
    """An experiment that is being run.

    Attributes:
        name: of the YAML file.
        config: what it says.
        folder: of the results.
        workers: processes; None takes every core.
        is_whole: nothing was changed on the command line: the page goes into the docs.
        sources: what was read, "title, split", in order.
        lost: items that gave no record, each with the reason.
    """

    name: str
    config: ExperimentConfig
    folder: Path
    workers: int | None = None
    is_whole: bool = True
    sources: dict[str, None] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def load(self, name: str = "casia1", split: str | None = None) -> tuple[Dataset, tuple[Sample, ...]]:
        """A data set and the samples of a split; it is named at the foot of the page."""
        dataset, split = load_dataset(name), split or self.config.split
        self.sources[f"{dataset.card.title}, split `{split}`"] = None
        return dataset, load_split(dataset, split)

    def thin(self, items: Sequence[ItemT], most: int | None = None) -> tuple[ItemT, ...]:
        """Items evenly spaced: as many as the configuration's limit, or `most` where it has none."""
        return thin(items, self.config.limit or most)

    def collect(self, look: Callable[[ItemT], list[Found]], items: Mapping[str, ItemT]) -> list[Found]:
        """What `look` finds in each item, in the order of the items; kept, and not computed again.

        A record holds for as long as the options, the seed, the version and the module are those that it was
        made with.

        Args:
            look: function of a module, called in a process of its own; its answer is JSON-ready.
            items: key, unique in the experiment and the same in every run, to a picklable item.
        """
        module = Path(sys.modules[look.__module__].__file__ or "").read_text("utf-8")
        made_with: Found = {"options": self.config.options, "seed": self.config.seed, "code": module}
        digest = config_digest(made_with | {"version": __version__, "function": look.__name__})
        self.folder.mkdir(parents=True, exist_ok=True)
        store = RecordStore(self.folder / "records.jsonl")
        rows: list[Any] = [row for row in store.records() if row["digest"] == digest]
        kept: dict[str, list[Found]] = {row["trial"]: row["found"] for row in rows}
        todo = [key for key in items if key not in kept]
        print(f"{look.__name__}: {len(items)} items, {len(items) - len(todo)} done before", file=sys.stderr)
        outcomes = run_in_processes(
            Keyed(look),
            [(key, items[key]) for key in todo],
            workers=min(self.workers or available_cores(), max(len(todo), 1)),
            timeout_seconds=TIMEOUT_SECONDS,
        )
        for outcome in outcomes:
            key = outcome.item[0]
            if outcome.result is None:
                self.lost.append(f"{key}: {outcome.error}")
                continue
            kept[key] = outcome.result
            store.append({"trial": key, "entry": look.__name__, "digest": digest, "found": kept[key]})  # type: ignore[dict-item]
        store.close()
        return [found for key in items for found in kept.get(key, ())]

    def evaluate(self) -> list[Evaluated]:
        """Every run of the configuration, on every protocol; goes on where an earlier run stopped."""
        return [
            found
            for run in self.config.runs
            for protocol in run.protocols
            for found in self._evaluate_entries(run, protocol)
        ]

    def _evaluate_entries(self, run: Run, protocol: Any) -> Iterator[Evaluated]:
        config = self.config

        def is_wanted(name: str) -> bool:
            return run.entries is None or name in run.entries

        methods, bundles = (tuple(filter(is_wanted, names)) for names in (config.methods, config.bundles))
        if methods or bundles:
            yield self._evaluate(run, protocol, EvaluateConfig(cases=0), methods, bundles)
        for title, variant in config.variants.items():
            if is_wanted(title):
                own = {"methods": {variant.method: variant.options}}
                options = EvaluateConfig(cases=0, **(variant.options if variant.method == STATEMENT else own))
                yield self._evaluate(run, protocol, options, (variant.method,), title=title)

    def _evaluate(
        self,
        run: Run,
        protocol: Any,
        config: EvaluateConfig,
        methods: tuple[str, ...],
        bundles: tuple[str, ...] = (),
        title: str | None = None,
    ) -> Evaluated:
        split, seed, limit = run.split or self.config.split, self.config.seed, self.config.limit
        request = Request(
            run.dataset,
            split,
            protocol,
            run.root,
            seed,
            limit,
            methods=methods,
            bundles=bundles,
            kinds=run.kinds,
        )
        names = [run.dataset, split, str(limit or "all"), protocol, *run.kinds, *([title] if title else [])]
        place = self.folder / "-".join(names).replace(", ", "-").replace("/", "_")
        evaluation = plan_evaluation(request, config, folder=place)
        print(f"{place}: {len(evaluation.todo)} pictures to do", file=sys.stderr)
        try:
            for _ in evaluation.run(workers=self.workers):
                pass
            document, columns = summarize(evaluation, command_line=sys.argv)
            write_results(evaluation, document, columns, place)
            rows: list[Any] = [row | {"histogram": None} for row in trial_records(evaluation)]
        finally:
            evaluation.close()
        self.sources[f"{document['data']['title']}, split `{split}`"] = None
        return Evaluated(run, protocol, document, rows, title)

    def publish(self, path: str, content: bytes) -> Path:
        """Write a file that goes with the page: below docs/ after a whole run, else into the folder."""
        target = ROOT / "docs" / path if self.is_whole else self.folder / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target


@dataclass(frozen=True)
class Keyed:
    """A function of an item, as one of an item with its key."""

    look: Callable[[Any], list[Found]]

    def __call__(self, item: tuple[str, Any]) -> list[Found]:
        """What the function finds."""
        return self.look(item[1])


def thin(items: Sequence[ItemT], limit: int | None) -> tuple[ItemT, ...]:
    """At most `limit` items, evenly spaced.

    >>> thin(range(10), 4)
    (0, 3, 6, 9)
    """
    if limit is None or len(items) <= limit:
        return tuple(items)
    return tuple(items[i] for i in np.linspace(0, len(items) - 1, limit).round().astype(int))
