"""A photograph that messengers deliver again may lose its ratio; it must not change sides."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "scripts" / "measure_redelivery.py"


def measure(table: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, table, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_deliveries_are_stated_on_and_counted_by_chain(
    tmp_path: Path, photo_like: Callable[..., NDArray[np.uint8]]
) -> None:
    rows = []
    for number in range(2):
        photo = Image.fromarray(photo_like(256, 384, seed=number))
        for quality, chains, split in (
            (95, "", "test"),
            (70, "telegram slack>telegram", "test"),
            (80, "x", "train"),
        ):
            name = f"{number}_{quality}.jpg"
            photo.save(tmp_path / name, quality=quality)
            rows.append({"file": name, "photo": f"p{number}", "chains": chains, "split": split})
    table = tmp_path / "redelivery.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    page = tmp_path / "page.md"
    done = measure(table, "--splits", "test", "--records", tmp_path / "records", "--output", page, "-j", 1)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["files"] == 4
    text = page.read_text(encoding="utf-8")
    assert "4 files of 2 photographs" in text
    assert f"**{len(found['flips'])} pairs of deliveries changed sides.**" in text
    assert "| as received | 2 |" in text
    assert "| telegram | 2 |" in text


@pytest.mark.slow
def test_no_photograph_changes_sides_when_it_is_delivered_again(tmp_path: Path) -> None:
    table = Path(os.environ.get("IMFORENSICS_DATA", "")) / "redelivery.csv"
    if not table.is_file():
        pytest.skip("needs redelivery.csv and its files below the folder that IMFORENSICS_DATA names")
    done = measure(table, "--splits", "test", "--records", tmp_path / "records")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["files"] > 0
    assert found["flips"] == []
