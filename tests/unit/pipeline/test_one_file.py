"""Whatever goes wrong with one file costs that file: an error in words, and the next one is looked at."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from fixtures.synthetic import make_jpeg
from imforensics.cli.main import main
from imforensics.config import ScanConfig
from imforensics.datasets import rasters
from imforensics.datasets.base import load_dataset
from imforensics.datasets.header_facts import read_header_facts
from imforensics.datasets.near_duplicates import difference_hash
from imforensics.datasets.shortcuts import read_encoder_settings
from imforensics.errors import DEFECT, DatasetError
from imforensics.evidence import read_evidence
from imforensics.methods.metadata.metadata import MetadataTraces
from imforensics.outputs import claim_folder
from imforensics.pipeline import analyze as analyze_module
from imforensics.pipeline import audit
from imforensics.pipeline.evaluate import worker as evaluate_worker
from imforensics.pipeline.evaluate.protocols import plan_trials
from imforensics.pipeline.scan import worker as scan_worker
from imforensics.report import writers

QUICK = {"methods": {"metadata": {}}, "fusion": None}


def breaking(
    function: Callable[..., Any], error: BaseException, name_of: Callable[..., str]
) -> Callable[..., Any]:
    """The function, but for the files whose name begins with "bad" it raises."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if name_of(*args).startswith("bad"):
            raise error
        return function(*args, **kwargs)

    return call


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.jpg", "bad.jpg", "c.jpg")]
    for number, path in enumerate(paths):
        path.write_bytes(make_jpeg(64, 96, seed=number))
    return paths


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "quick.yaml"
    path.write_text("methods: {metadata: {}}\nfusion: null\n", encoding="utf-8")
    return path


def analyze(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)], catch_exceptions=False)


def break_reading(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    broken = breaking(analyze_module.read_evidence, error, lambda source: Path(source).name)
    monkeypatch.setattr(analyze_module, "read_evidence", broken)


def break_writing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    broken = breaking(writers.write_report, error, lambda report, *_: report.evidence.name)
    monkeypatch.setattr(writers, "write_report", broken)


FULL = OSError(errno.ENOSPC, "No space left on device", "out/report.html")
ODD = AttributeError("'NoneType' object has no attribute 'rstrip'")


@pytest.mark.parametrize(
    ("error", "text"),
    [(ODD, "bad.jpg: unexpected AttributeError: 'NoneType'"), (FULL, "No space left on device")],
)
def test_an_exception_while_reading_costs_one_file(
    monkeypatch: pytest.MonkeyPatch, photos: list[Path], config: Path, error: Exception, text: str
) -> None:
    break_reading(monkeypatch, error)
    result = analyze(*photos, "-c", config)
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["a.jpg", "c.jpg"]
    assert text in result.stderr
    assert ("1 defect of imforensics met" in result.stderr) == (error is ODD)


@pytest.mark.parametrize("error", [FULL, ODD, FileNotFoundError(errno.ENOENT, "No such file", "bad.jpg")])
def test_an_exception_while_a_report_is_written_costs_one_file(
    monkeypatch: pytest.MonkeyPatch, photos: list[Path], config: Path, tmp_path: Path, error: Exception
) -> None:
    break_writing(monkeypatch, error)
    result = analyze(*photos, "-c", config, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert len(list((tmp_path / "out").glob("*/report.html"))) == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "bad.jpg" in errors[0]


def test_an_exception_in_a_document_is_a_document(
    monkeypatch: pytest.MonkeyPatch, photos: list[Path], config: Path
) -> None:
    from imforensics.report import document

    broken = breaking(document.report_document, ODD, lambda report, *_: report.evidence.name)
    monkeypatch.setattr(document, "report_document", broken)
    documents = [json.loads(line) for line in analyze(*photos, "-c", config, "--json").stdout.splitlines()]
    assert [found["status"] for found in documents] == ["ok", "error", "ok"]
    assert DEFECT in documents[1]["error"]


def test_a_method_that_breaks_is_said_and_counted(
    monkeypatch: pytest.MonkeyPatch, photos: list[Path], config: Path
) -> None:
    broken = breaking(MetadataTraces.analyze, ODD, lambda _, evidence: evidence.name)
    monkeypatch.setattr(MetadataTraces, "analyze", broken)
    result = analyze(*photos, "-c", config)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert "Warning: bad.jpg: metadata failed: unexpected AttributeError" in result.stderr
    assert "1 defect of imforensics met" in result.stderr


@pytest.mark.parametrize("breaks", [break_reading, break_writing])
@pytest.mark.parametrize("error", [FULL, ODD])
def test_a_scan_has_a_row_for_each_file(
    monkeypatch: pytest.MonkeyPatch,
    photos: list[Path],
    tmp_path: Path,
    breaks: Callable[..., None],
    error: Exception,
) -> None:
    breaks(monkeypatch, error)
    settings = scan_worker.WorkerSettings(ScanConfig.model_validate(QUICK), tmp_path / "out", "all", ())
    with claim_folder(tmp_path / "out", "scan").kept():
        scan_worker.prepare_worker(settings)
        rows = [scan_worker.scan_file(path) for path in photos]
    if error is FULL and breaks is break_writing:  # the disk takes no other file either: the scan stops there
        assert [scan_worker.NOT_WRITTEN in row for row in rows] == [False, True, False]
        return
    assert [row["status"] for row in rows] == ["ok", "error", "ok"]
    assert rows[1]["sha256"]
    assert (DEFECT in str(rows[1]["error"])) == (error is ODD)


def test_a_row_says_why_a_method_failed(monkeypatch: pytest.MonkeyPatch, photos: list[Path]) -> None:
    broken = breaking(MetadataTraces.analyze, ODD, lambda _, evidence: evidence.name)
    monkeypatch.setattr(MetadataTraces, "analyze", broken)
    scan_worker.prepare_worker(scan_worker.WorkerSettings(ScanConfig.model_validate(QUICK), None, "none", ()))
    whole, failed, _ = (scan_worker.scan_file(path)["findings"] for path in photos)
    assert whole == [{"method": "metadata", "status": "ok", "score": None}]
    assert isinstance(failed, list)
    assert isinstance(failed[0], dict)
    assert DEFECT in str(failed[0]["note"])


def test_a_command_for_one_file_ends_in_words(monkeypatch: pytest.MonkeyPatch, photos: list[Path]) -> None:
    from imforensics.pipeline import reconstruct

    broken = breaking(reconstruct.read_evidence, ODD, lambda source: Path(source).name)
    monkeypatch.setattr(reconstruct, "read_evidence", broken)
    result = CliRunner().invoke(main, ["reconstruct", str(photos[1])], catch_exceptions=False)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: unexpected AttributeError")
    assert result.stderr.strip().endswith(DEFECT)


def test_an_evaluation_has_a_record_for_each_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("authentic", "tampered"):
        (tmp_path / name).mkdir()
        for number, stem in enumerate(("a", "bad", "c")):
            (tmp_path / name / f"{stem}.jpg").write_bytes(make_jpeg(64, 96, seed=number))
    dataset = load_dataset("folder", tmp_path)
    plan = plan_trials(dataset, dataset.samples, "raw", seed=0)
    entry = evaluate_worker.Entry("metadata", "metadata", {})
    evaluate_worker.prepare_worker(evaluate_worker.WorkerSettings((entry,), 10**6, "white"))
    for error, status in (
        (ODD, "crashed"),
        (PermissionError(errno.EACCES, "Permission denied"), "unreadable"),
    ):
        broken = breaking(read_evidence, error, lambda source: Path(source).name)
        monkeypatch.setattr(evaluate_worker, "read_evidence", broken)
        rows = [
            row
            for trial in plan.trials
            for row in evaluate_worker.evaluate_task(evaluate_worker.Task(trial, {"metadata": "digest"}))
        ]
        assert [row["status"] for row in rows] == ["ok", status, "ok"] * 2
        assert (DEFECT in str(rows[1]["note"])) == (error is ODD)


def test_an_audit_goes_on_without_the_files_that_break_its_readers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, quality in (("authentic", 80), ("tampered", 95)):
        (tmp_path / name).mkdir()
        for number, stem in enumerate(("a", "bad", "c", "d")):
            content = make_jpeg(64, 96, seed=number, quality=quality)
            (tmp_path / name / f"{stem}.jpg").write_bytes(content)
    (tmp_path / "tampered" / "odd.jpg").write_bytes(b"no image")
    broken = breaking(audit.read_header_facts, DatasetError("no frame header"), lambda path: path.name)
    monkeypatch.setattr(audit, "read_header_facts", broken)
    found = audit.audit_dataset(load_dataset("folder", tmp_path))
    names = [path.relative_to(tmp_path).as_posix() for path in found.integrity.unreadable_images]
    assert sorted(names) == ["authentic/bad.jpg", "tampered/bad.jpg", "tampered/odd.jpg"]
    assert found.facts


@pytest.mark.parametrize("error", [TypeError("odd"), IndexError("odd"), MemoryError()])
def test_whatever_a_decoder_raises_is_an_unreadable_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(make_jpeg(64, 96))

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(Image, "open", fail)
    readers = (rasters.read_rgb, read_header_facts, difference_hash, read_encoder_settings)
    for reader in readers:
        with pytest.raises(DatasetError, match=r"a\.jpg cannot be read as an image"):
            reader(path)
