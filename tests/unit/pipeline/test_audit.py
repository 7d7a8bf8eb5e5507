"""Audits of made sets, and of CASIA v1 where it is at hand."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from imforensics.cli.main import main
from imforensics.datasets.base import load_dataset
from imforensics.pipeline.audit import audit_dataset, audit_document


def make_set(root: Path, *, tampered_quality: int, count: int = 24) -> Path:
    for label, folder in enumerate(("authentic", "tampered")):
        (root / folder).mkdir(parents=True)
        for number in range(count):
            coarse = np.random.default_rng(100 * label + number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
            picture = Image.fromarray(coarse).resize((96, 72), Image.Resampling.BICUBIC)
            picture.save(
                root / folder / f"{folder}_{number:02}.jpg", quality=tampered_quality if label else 80
            )
    return root


def test_a_set_whose_classes_were_saved_differently_is_found_out(tmp_path: Path) -> None:
    audit = audit_dataset(load_dataset("folder", make_set(tmp_path / "set", tampered_quality=90)))
    tables = next(result for result in audit.facts if result.fact == "quantization tables")
    assert tables.balanced_accuracy == 1.0
    assert tables.auc_interval == (1.0, 1.0)
    assert "are no evidence about tampering" in audit.verdict[0]


def test_a_set_saved_alike_is_not_accused(tmp_path: Path) -> None:
    audit = audit_dataset(load_dataset("folder", make_set(tmp_path / "set", tampered_quality=80)))
    tables = next(result for result in audit.facts if result.fact == "quantization tables")
    assert tables.auc == pytest.approx(0.5, abs=0.05)
    assert "are no evidence about tampering" not in audit.verdict[0]


def test_copies_across_classes_and_near_duplicates_are_counted(tmp_path: Path) -> None:
    root = make_set(tmp_path / "set", tampered_quality=80)
    first = root / "authentic" / "authentic_00.jpg"
    (root / "tampered" / "tampered_00.jpg").write_bytes(first.read_bytes())
    Image.open(first).save(root / "authentic" / "authentic_99.jpg", quality=60)
    audit = audit_dataset(load_dataset("folder", root))
    assert sum(copies.is_across_classes for copies in audit.integrity.duplicates) == 1
    assert audit.near_duplicates.pairs == 2
    assert any("both labels" in sentence for sentence in audit.verdict)


def test_the_document_is_json(tmp_path: Path) -> None:
    audit = audit_dataset(load_dataset("folder", make_set(tmp_path / "set", tampered_quality=90, count=6)))
    assert json.loads(json.dumps(audit_document(audit), allow_nan=False))["schema_version"] == "1.1"


def test_the_command_writes_a_page_and_does_not_overwrite_it(tmp_path: Path) -> None:
    root = make_set(tmp_path / "set", tampered_quality=90, count=6)
    command = ["audit", str(root), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "quantization tables" in result.stdout
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in page
    assert "are no evidence about tampering" in page
    results = (tmp_path / "out" / "results.md").read_text(encoding="utf-8")
    assert "| header baseline: quantization tables | 2 | 1.000 | 1.000 | 1.000 [1.000, 1.000] |" in results
    assert "## Made with\n\n    " in results
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 1
    assert "or overwrite it" in again.stderr


def test_a_wrong_against_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["audit", str(tmp_path), "--against", "casia2"])
    assert result.exit_code == 2
    assert "NAME=PATH" in result.stderr


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.skipif("IMFORENSICS_DATA" not in os.environ, reason="IMFORENSICS_DATA is not set: needs CASIA")
def test_casia_v1_shows_its_known_defects() -> None:
    audit = audit_dataset(load_dataset("casia1"), against=[load_dataset("casia2")])
    tables = next(result for result in audit.facts if result.fact == "quantization tables")
    assert tables.accuracy >= 0.99
    assert [d.image_path.name for d in audit.integrity.missing_masks] == [
        "Sp_D_NRN_A_sce0011_cha0011_0542.jpg"
    ]
    assert sum(copies.is_across_sets for copies in audit.integrity.duplicates) >= 100
    assert audit.near_duplicates.across_splits == 0
