"""`train-detector` as a program: a kill in the middle costs nothing but the unfinished epoch."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imforensics.models.bundle import load_bundle

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("training_extra")]
SETTINGS = (
    "dataset.name=folder",
    "input.kind=rgb",
    "input.height=32",
    "input.width=32",
    "network.filters=[8, 8]",
    "network.dense=8",
    "fit.batch_size=8",
    "fit.epochs=6",
    "fit.patience=6",
    "workers=1",
)
TIMINGS = {"seconds", "images_per_second"}


@pytest.fixture(scope="module")
def training_extra() -> None:
    for name in ("tensorflow", "keras", "tf2onnx"):
        if find_spec(name) is None:  # not imported here: the runs are programs of their own
            pytest.skip(f"{name} is not installed (extra train)")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made data set: tampered images have a bright patch; every image is a source of its own."""
    root = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        label = number % 2
        pixels = rng.integers(0, 128, (48, 48, 3), dtype=np.uint8)
        if label:
            pixels[12:36, 12:36] += 90
        name = f"{number:03d}.jpg"
        Image.fromarray(pixels).save(root / name, quality=90)
        split = "train" if number < 64 else "val" if number < 92 else "test"
        rows.append({"image": name, "label": label, "group": f"g{number}", "split": split})
    path = root / "manifest.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "group", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def command(manifest: Path, run: Path, *more: str) -> list[str]:
    settings = [f"--set={setting}" for setting in (*SETTINGS, f"dataset.root={manifest}")]
    return [sys.executable, "-m", "imforensics.cli.main", "train-detector", *settings, "-o", str(run), *more]


def rows_of(run: Path) -> list[dict[str, str]]:
    path = run / "training_log.csv"
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return [
            {key: value for key, value in row.items() if key not in TIMINGS} for row in csv.DictReader(lines)
        ]


def train(manifest: Path, run: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(manifest, run, *more), capture_output=True, text=True, check=False, timeout=180
    )


def kill_after_rows(manifest: Path, run: Path, count: int) -> None:
    """Start a run, and kill it, its workers too, as soon as `count` rows are logged."""
    with subprocess.Popen(
        command(manifest, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 120
        while len(rows_of(run)) < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_run_goes_on_to_the_same_rows(manifest: Path, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    kill_after_rows(manifest, killed, 2)
    logged = rows_of(killed)
    assert 2 <= len(logged) < 6, "it must be killed in mid-training"

    whole = train(manifest, straight)
    assert whole.returncode == 0, whole.stderr
    resumed = train(manifest, killed, "--resume")
    assert resumed.returncode == 0, resumed.stderr

    rows = rows_of(killed)
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[: len(logged)] == logged
    assert rows == rows_of(straight)
    check_run_folder(killed, json.loads(resumed.stdout))
    same = load_bundle(straight / "bundle")
    assert load_bundle(killed / "bundle").manifest.thresholds == same.manifest.thresholds

    refused = train(manifest, killed)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    other = train(manifest, killed, "--resume", "--set=seed=1")
    assert other.returncode == 1
    assert "started with other settings (seed: 1)" in other.stderr
    assert "Traceback" not in refused.stderr + other.stderr


def check_run_folder(run: Path, printed: dict[str, object]) -> None:
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.yaml",
        "training_log.csv",
        "curves.png",
        "curves.md",
        "curves.json",
        "metrics.json",
    }
    assert names >= {"tensorboard", "checkpoints", "bundle", "MODEL_CARD.md"}
    metrics = json.loads((run / "metrics.json").read_text())
    test = next(entry for entry in metrics["measurements"] if entry["split"] == "test")["metrics"]
    assert {"accuracy", "precision", "recall", "f1", "auc", "tp", "fp", "fn", "tn"} <= test.keys()
    assert printed["test"]["raw"]["auc"] == test["auc"]  # type: ignore[index]
    bundle = load_bundle(run / "bundle")
    scores = bundle.predict(np.zeros((2, 32, 32, 3), np.float32))
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert bundle.manifest.calibration.thresholds is None, "no twins, no label"
    assert "look-up" in (run / "bundle" / "MODEL_CARD.md").read_text()
