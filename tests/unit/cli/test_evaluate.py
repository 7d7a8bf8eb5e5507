import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from imforensics.cli.evaluate import KIND_NAMES, PROTOCOL_NAMES, command
from imforensics.pipeline.evaluate.protocols import PROTOCOLS, ROBUSTNESS_UNITS


@pytest.fixture
def small_set(tmp_path: Path, photo_like: Callable[..., NDArray[np.uint8]]) -> Path:
    root = tmp_path / "set"
    for name, quality in (("authentic", 80), ("tampered", 95)):
        (root / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(photo_like(64, 64, seed=number)).save(
                root / name / f"{number}.jpg", quality=quality
            )
    (root / "tampered" / "broken.jpg").write_bytes(b"no image")
    return root


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_one_run_writes_everything_and_prints_the_table(small_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = [
        "--method",
        "ela",
        "--dataset",
        "folder",
        "--root",
        small_set,
        "--split",
        "all",
        "-j",
        1,
        "-o",
        out,
    ]
    code, stdout, _ = run(*options, "--set", "resamples=100", "-q")
    assert code == 0
    assert "header baseline" in stdout
    assert "1 unreadable" in stdout
    assert f"Page: {out / 'evaluation.html'}" in stdout
    document = json.loads((out / "metrics.json").read_text())
    assert document["methods"]["ela"]["counts"]["unreadable"] == 1
    with (out / "per_image.csv").open(newline="") as file:
        statuses = [row["status"] for row in csv.DictReader(file)]
    assert sorted(statuses) == ["ok"] * 6 + ["unreadable"]
    code, stdout, _ = run(*options, "--set", "resamples=100", "-q", "--json")
    assert code == 0
    assert json.loads(stdout)["methods"]["ela"]["detection"] == document["methods"]["ela"]["detection"]


def test_nothing_to_evaluate_is_wrong_usage() -> None:
    code, _, stderr = run("--dataset", "casia1")
    assert code == 2
    assert "--method or --bundle" in stderr


def test_choices_are_the_protocols() -> None:
    assert tuple(PROTOCOLS) == PROTOCOL_NAMES
    assert tuple(ROBUSTNESS_UNITS) == KIND_NAMES


def test_help_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from imforensics.cli.evaluate import command\n"
        "try: command(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'PIL', 'pydantic', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
