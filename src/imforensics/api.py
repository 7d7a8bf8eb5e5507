"""The Python interface: analyze a picture, read one, scan many (docs/api.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TypedDict, Unpack

from imforensics import types
from imforensics.config import AnalyzeConfig, ModelT, ScanConfig, load_config
from imforensics.cores import available_cores
from imforensics.errors import EvidenceError
from imforensics.evidence import in_memory
from imforensics.evidence import read_evidence as read_file
from imforensics.pipeline.analyze import Analyzer, build_analyzer, describe_methods
from imforensics.pipeline.scan.plan import Scan, list_files, plan_scan, write_overview
from imforensics.pipeline.scan.worker import ReportsPolicy
from imforensics.report.card import render_card
from imforensics.report.document import report_document
from imforensics.report.writers import ReportFiles, write_report
from imforensics.store import Row
from imforensics.types import DEFAULT_MAX_PIXELS, Evidence, Finding, JsonValue

Methods = str | Sequence[str] | Mapping[str, Mapping[str, object]]
_KEPT_ANALYZERS = 4  # each holds the networks of its methods


class AnalyzeSettings(TypedDict, total=False):
    """Values of the configuration, see `imforensics.config.AnalyzeConfig`; methods may be names only."""

    methods: Methods
    fusion: str | None
    max_pixels: int


class ScanSettings(AnalyzeSettings, total=False):
    """Values of the configuration of a scan, see `imforensics.config.ScanConfig`."""

    recursive: bool
    timeout_seconds: float
    thumbnail_size: int


@dataclass(frozen=True, slots=True, repr=False)
class Report(types.Report):
    """What `analyze` found: `imforensics.types.Report`, which a notebook shows, and which can be saved."""

    def __repr__(self) -> str:
        """One line: name, label, probability."""
        number = self.statement.probability
        probability = "no probability" if number is None else f"probability {number:.2f}"
        return (
            f"<Report of {self.evidence.name!r}: {self.statement.label}, {probability}; "
            f"{len(self.findings)} finding{'' if len(self.findings) == 1 else 's'}>"
        )

    def _repr_html_(self) -> str:
        """A card for a notebook."""
        return render_card(self)

    def finding(self, method: str) -> Finding:
        """What one method found.

        Raises:
            KeyError: the method was not run.
        """
        for finding in self.findings:
            if finding.method == method:
                return finding
        raise KeyError(f"{method} was not run, only {', '.join(f.method for f in self.findings)}")

    def to_dict(self) -> dict[str, JsonValue]:
        """The document that `--json` and report.json hold, see docs/json-schema.md."""
        return report_document(self, describe_methods())

    def save(
        self, folder: str | os.PathLike[str], *, save_maps: bool = False, overwrite: bool = False
    ) -> ReportFiles:
        """Write report.html, report.json and the pictures, as `analyze -o` does.

        Args:
            folder: must be absent or empty, unless `overwrite`.
            save_maps: write each map as maps/METHOD.npy, float32, too.
            overwrite: replace an earlier report.

        Returns:
            Where it was written.

        Raises:
            OutputExistsError: the folder holds something, or is a file.
            OSError: the folder cannot be written.
        """
        inputs = () if self.evidence.path is None else (self.evidence.path,)
        return write_report(
            self, describe_methods(), Path(folder), save_maps=save_maps, overwrite=overwrite, inputs=inputs
        )


def read_evidence(
    source: in_memory.Source, *, name: str | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
) -> Evidence:
    """Read one picture as it was received.

    Args:
        source: path or bytes of a file; a Pillow image; or an array, (H, W, 3) uint8 RGB. Of a Pillow image
            that is as it was opened the file is read; any other, and an array, is encoded as PNG, which a
            note of the evidence says: what its compression tells is lost.
        name: name to keep for it; by default the file's own.
        max_pixels: an image with more pixels is refused.

    Raises:
        EvidenceError: it cannot be read; the text says why.
    """
    received = in_memory.receive(source)
    evidence = read_file(received.content, name=name or received.name, max_pixels=max_pixels)
    return replace(evidence, notes=(*received.notes, *evidence.notes)) if received.notes else evidence


def analyze(
    source: in_memory.Source | Evidence,
    *,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
    name: str | None = None,
    **settings: Unpack[AnalyzeSettings],
) -> Report:
    """Analyze one picture: is it tampered with, where, how sure, and what shows it.

    The methods of the last few configurations are kept: the next picture is analyzed without loading them
    again. A bundle that changes on disk meanwhile is not noticed.

    Args:
        source: what `read_evidence` takes, or evidence that it gave.
        profile: "fast", "default" or "full": which methods to run.
        config: YAML file with a configuration.
        name: name to report it under, where it has none of its own or another is wanted.
        settings: values that take the place of those in the configuration: `methods=["ela"]`,
            `methods={"ela": {"quality": 75}}`, `fusion=None`, `max_pixels=...`.

    Raises:
        EvidenceError: the picture cannot be read.
        ConfigError: unknown methods, options or settings; all are listed.
        BundleError: a trained bundle is missing or damaged.

    >>> import numpy as np
    >>> report = analyze(np.zeros((64, 64, 3), np.uint8), methods=["ela"], fusion=None, name="black")
    >>> report
    <Report of 'black': inconclusive, no probability; 1 finding>
    """
    analyzer = _keep_analyzer(_configure(AnalyzeConfig, profile, config, settings))
    if not isinstance(source, Evidence):
        source = read_evidence(source, name=name, max_pixels=analyzer.max_pixels)
    elif name is not None:
        source = replace(source, name=name)
    report = analyzer.analyze(source)
    return Report(**{field.name: getattr(report, field.name) for field in fields(types.Report)})


def scan(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    reports: ReportsPolicy = "none",
    workers: int | None = None,
    overwrite: bool = False,
    retry_errors: bool = False,
    **settings: Unpack[ScanSettings],
) -> Iterator[Row]:
    """Analyze many files on all cores.

    Everything is checked at once, the work begins with the first row that is asked for.

    Args:
        paths: files and folders; below a folder what is no image by name nor by content is left out.
        profile: "fast", "default" or "full": which methods to run.
        config: YAML file with a configuration.
        folder: where results are kept and resumed, as by `scan -o`; with them a summary and an overview once
            all rows were taken. None keeps none.
        reports: "none", "tampered" or "all": for which files a full report is written, below `folder`.
        workers: number of processes; None takes every core.
        overwrite: forget the results in `folder`.
        retry_errors: analyze again the files whose row in `folder` is an error.
        settings: values that take the place of those in the configuration, `timeout_seconds=...` and those
            of `analyze`.

    Returns:
        One row for each file as it is done, as `scan --json` prints them; first those that `folder` holds
        already. A file that cannot be analyzed is a row with status "error".

    Raises:
        EvidenceError: a path does not exist, or there is no image.
        ConfigError: unknown methods, options or settings; all are listed.
        BundleError: a trained bundle is missing or damaged.
        InterruptedRunError: the folder holds something that no scan wrote.
        WorkerError: the processes cannot be started or kept alive; raised where a row is asked for.
    """
    checked = _configure(ScanConfig, profile, config, settings)
    named = [paths] if isinstance(paths, str | os.PathLike) else paths
    target = None if folder is None else Path(folder)
    listing = list_files(map(Path, named), recursive=checked.recursive, exclude=target)
    if not listing.files:
        raise EvidenceError("no images to scan: name image files, or folders that hold some")
    planned = plan_scan(listing.files, checked, folder=target, overwrite=overwrite, retry_errors=retry_errors)
    return _run(planned, reports, workers)


def _run(planned: Scan, reports: ReportsPolicy, workers: int | None) -> Iterator[Row]:
    yield from planned.done
    yield from planned.run(workers=workers, reports=reports)
    if planned.store is not None:
        write_overview(planned.store)


def _configure(
    model: type[ModelT],
    profile: str | None,
    path: str | os.PathLike[str] | None,
    settings: Mapping[str, object],
) -> ModelT:
    values = dict(settings)
    methods = values.get("methods")
    if isinstance(methods, str):
        values["methods"] = {methods: {}}
    elif isinstance(methods, Sequence):
        values["methods"] = {name: {} for name in methods}
    return load_config(model, None if path is None else Path(path), profile=profile, settings=values)


def _keep_analyzer(config: AnalyzeConfig) -> Analyzer:
    return _build_analyzer(config.model_dump_json(fallback=str))


@lru_cache(maxsize=_KEPT_ANALYZERS)
def _build_analyzer(config: str) -> Analyzer:
    return build_analyzer(AnalyzeConfig.model_validate_json(config), threads=available_cores())
