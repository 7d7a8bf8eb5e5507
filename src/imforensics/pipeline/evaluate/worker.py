"""What one worker of an evaluation does with one trial: the picture, every method, a small record each."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from imforensics.datasets.base import MaskEncoding
from imforensics.datasets.rasters import read_mask
from imforensics.datasets.twins import encode_host
from imforensics.errors import DatasetError, EvidenceError, ImforensicsError, describe_failure
from imforensics.evidence import read_evidence
from imforensics.fusion import usable_scores
from imforensics.methods.base import Method
from imforensics.metrics.evidence_classes import describe_graphic, history_of
from imforensics.metrics.localization import centre_prior_metrics, false_alarm_metrics, measure_tampered
from imforensics.metrics.pixel_counts import BINS, Histogram
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.pipeline.evaluate.marks import describe_marks
from imforensics.pipeline.evaluate.protocols import Trial
from imforensics.pipeline.evaluate.statement import STATEMENT, StatementEntry
from imforensics.preprocessing.chains import apply_chain, transform_mask
from imforensics.store import Row
from imforensics.types import OUTSIDE_KEY, BoolArray, Evidence, Finding, JsonValue

Int64Array = NDArray[np.int64]
SAVED_LIKE = "saved with the tables and subsampling of its tampered twin"
HISTOGRAM_BINS = 4096  # of one image's map values; a record stays at a few kilobytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a comparison: a method with its options.

    Attributes:
        key: the name it is shown under, unique in its evaluation.
        method: key in METHODS, or "statement".
        options: of the method.
    """

    key: str
    method: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every worker of one evaluation is told.

    Attributes:
        entries: all methods of the comparison.
        max_pixels: larger pictures are refused.
        mask_encoding: which pixels of a mask file are tampered.
        keeps_marks: records hold what maps would mark at each of many thresholds.
    """

    entries: tuple[Entry, ...]
    max_pixels: int
    mask_encoding: MaskEncoding
    keeps_marks: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One trial and the entries that still have to look at it, each with the digest of its record."""

    trial: Trial
    digests: Mapping[str, str]


_worker: tuple[dict[str, Method], WorkerSettings] | None = None


def prepare_worker(settings: WorkerSettings) -> None:
    """Build the methods once; called in a new process before its first trial."""
    global _worker  # noqa: PLW0603 - the methods that a worker process keeps
    _worker = ({entry.key: build_entry(entry) for entry in settings.entries}, settings)


def build_entry(entry: Entry) -> Method:
    """The method of an entry.

    Raises:
        ConfigError: unknown method or wrong options.
        BundleError: a trained bundle is missing or damaged.
    """
    if entry.method == STATEMENT:
        return StatementEntry(StatementEntry.Options.model_validate(entry.options))
    return build_methods({entry.method: entry.options})[0]


def evaluate_task(task: Task) -> list[Row]:
    """Show one trial to its methods in a prepared worker.

    Returns:
        One record for each entry; for a picture that cannot be read or made, records with status
        "unreadable", or "crashed" where that is a defect of ours.

    Raises:
        RuntimeError: the worker was not prepared.
    """
    if _worker is None:
        raise RuntimeError("this process was not prepared; call prepare_worker first")
    methods, settings = _worker
    try:
        evidence = show_trial(task.trial, max_pixels=settings.max_pixels)
    except Exception as error:  # it costs this trial alone
        is_ours = not isinstance(error, (ImforensicsError, OSError))
        return error_records(task, "crashed" if is_ours else "unreadable", describe_failure(error))
    mask, mask_note = None, None
    try:
        mask = read_trial_mask(task.trial, evidence, encoding=settings.mask_encoding)
    except Exception as error:  # the scores do not need the mask
        mask_note = describe_failure(error)
    shown: Row = {"history": history_of(evidence), "graphic": describe_graphic(evidence.pixels) is not None}
    shown |= {"mask_note": mask_note, "centre": _measure_centre_prior(task.trial, mask)}
    rows = []
    for key in task.digests:
        finding = run_method(methods[key], evidence)
        row = _record(task, key, evidence, mask, finding) | shown
        rows.append(row | {"marks": describe_marks(finding, mask)} if settings.keeps_marks else row)
    return rows


def show_trial(trial: Trial, *, max_pixels: int) -> Evidence:
    """The picture of a trial, as a method sees it in production.

    Raises:
        EvidenceError: a file cannot be read, or the picture cannot be processed as asked.
        DatasetError: the host cannot be saved like the tampered file.
    """
    path = trial.sample.image_path
    shown = read_evidence(path, max_pixels=max_pixels)
    try:
        if trial.tables_from is not None:
            content = encode_host(shown.pixels, trial.tables_from, max_pixels=max_pixels)
            shown = read_evidence(content, name=path.name, max_pixels=max_pixels)
        if trial.chain is not None:
            content = apply_chain(shown.pixels, trial.chain)
            shown = read_evidence(content, name=path.name, max_pixels=max_pixels)
    except ValueError as error:
        raise EvidenceError(f"{path.name} cannot be saved for this protocol: {error}") from None
    return shown


def read_trial_mask(trial: Trial, evidence: Evidence, *, encoding: MaskEncoding) -> BoolArray | None:
    """Ground truth of a trial's picture, transformed as the picture was; None where there is none.

    Raises:
        DatasetError: the mask cannot be read, or its size is not the picture's.
    """
    if trial.sample.mask_path is None:
        return None
    mask = read_mask(trial.sample.mask_path, encoding=encoding)
    if trial.chain is not None:
        mask = transform_mask(mask, trial.chain)
    if mask.shape != evidence.pixels.shape[:2]:
        raise DatasetError(
            f"mask {trial.sample.mask_path.name} has {mask.shape[0]}x{mask.shape[1]} pixels (HxW), its image "
            f"{evidence.height}x{evidence.width}"
        )
    return mask


def error_records(task: Task, status: str, note: str) -> list[Row]:
    """Records of a trial that gave no finding at all."""
    empty = dict.fromkeys(
        ("score", "probability", "log10_lr", "stated", "threshold", "threshold_policy", "format", "height")
    )
    empty |= dict.fromkeys(("width", "settings", "seconds", "mask_area", "pixel", "counts", "histogram"))
    empty |= {"mask_note": None, "centre": None, "history": None}
    empty |= dict.fromkeys(("outside_calibration", "is_usable", "graphic"), False)
    return [
        {**trial_fields(task.trial), "entry": key, "digest": digest, "status": status, "note": note, **empty}
        for key, digest in task.digests.items()
    ]


def trial_fields(trial: Trial) -> Row:
    """What a record says of its trial."""
    sample, chain = trial.sample, trial.chain
    steps = [] if trial.tables_from is None else [SAVED_LIKE]
    steps += [] if chain is None else [chain.description]
    return {
        "trial": trial.id,
        "label": sample.label,
        "group": sample.group,
        "pair": trial.pair,
        "manipulation": sample.manipulation,
        "condition": trial.condition,
        "strength": 0.0 if chain is None else chain.strength,
        "treatment": ", ".join(steps) or "as it is",
    }


def pack_histogram(histogram: Histogram) -> str:
    """Pixels of one image by value and truth, in HISTOGRAM_BINS equal steps, as text."""
    coarse = histogram.coarse(HISTOGRAM_BINS).astype("<u4")
    return base64.b64encode(zlib.compress(coarse.tobytes(), 1)).decode("ascii")


def add_histogram(table: Int64Array, packed: str) -> None:
    """Add the counts of `pack_histogram` to a (BINS, 2) int64 table, each step's to its lowest bin.

    >>> table = np.zeros((BINS, 2), np.int64)
    >>> add_histogram(table, pack_histogram(Histogram(BINS // 2, np.array([0]), np.array([7]))))
    >>> int(table[BINS // 2, 1]), int(table.sum())
    (7, 7)
    """
    counts = np.frombuffer(zlib.decompress(base64.b64decode(packed)), dtype="<u4").reshape(-1, 2)
    table[:: BINS // HISTOGRAM_BINS] += counts


def _record(task: Task, key: str, evidence: Evidence, mask: BoolArray | None, finding: Finding) -> Row:
    status, note = str(finding.status), next(iter(finding.notes), None) if finding.status != "ok" else None
    measured: Row = {"pixel": None, "counts": None, "histogram": None}
    if finding.status == "ok":
        try:
            _check_score(finding)
            measured = _measure_map(task.trial, finding, mask)
        except Exception as error:  # a score or map out of [0, 1], or of another size, breaks the contract
            status, note = "failed", describe_failure(error)
    opinion, is_ok = finding.opinion, status == "ok"
    return {
        **trial_fields(task.trial),
        "entry": key,
        "digest": task.digests[key],
        "status": status,
        "note": note,
        "score": finding.score if is_ok else None,
        "probability": opinion.probability if opinion is not None and is_ok else None,
        "log10_lr": opinion.log10_lr if opinion is not None and is_ok else None,
        "stated": opinion.label if opinion is not None and is_ok else None,
        "outside_calibration": bool(finding.observations.get(OUTSIDE_KEY)),
        "is_usable": usable_scores([finding], by_class=True)[finding.method] is not None,
        "threshold": finding.threshold,
        "threshold_policy": finding.threshold_policy,
        "format": evidence.format,
        "height": evidence.height,
        "width": evidence.width,
        "settings": _encoder_settings(evidence),
        "seconds": round(finding.seconds, 6),
        "mask_area": None if mask is None else np.count_nonzero(mask) / mask.size,
        **measured,
    }


def _measure_centre_prior(trial: Trial, mask: BoolArray | None) -> dict[str, JsonValue] | None:
    """Pixel metrics of the centre-prior baseline on a tampered image; None without a mask."""
    if mask is None or trial.sample.label == 0:
        return None
    return _without_nan(centre_prior_metrics(mask))


def _check_score(finding: Finding) -> None:
    if finding.score is not None and not 0 <= finding.score <= 1:
        raise ValueError(f"expected a score in [0, 1], received {finding.score}")


def _measure_map(trial: Trial, finding: Finding, mask: BoolArray | None) -> Row:
    nothing: Row = {"pixel": None, "counts": None, "histogram": None}
    if finding.map is None:
        return nothing
    values, valid, threshold = finding.map.values, finding.map.valid, finding.threshold
    if trial.sample.label == 0:
        alarms = false_alarm_metrics(values, threshold=threshold, valid=valid)
        return {**nothing, "pixel": _without_nan(alarms)}
    if mask is None:
        return nothing
    measured = measure_tampered(values, mask, threshold=threshold, valid=valid)
    counts: dict[str, JsonValue] = {
        policy: [found.tp, found.fp, found.fn, found.tn] for policy, found in measured.counts.items()
    }
    pixel = _without_nan(measured.metrics)
    return {"pixel": pixel, "counts": counts, "histogram": pack_histogram(measured.histogram)}


def _without_nan(metrics: Mapping[str, float]) -> dict[str, JsonValue]:
    return {name: round(value, 9) if isfinite(value) else None for name, value in metrics.items()}


def _encoder_settings(evidence: Evidence) -> list[JsonValue]:
    """Format, tables and subsampling: what the header baseline has to go by."""
    if evidence.jpeg is None:
        return [evidence.format, [], ""]
    tables: list[JsonValue] = [
        [int(divisor) for divisor in table.ravel()] for table in evidence.jpeg.quantization_tables
    ]
    return ["JPEG", tables, evidence.jpeg.subsampling]
