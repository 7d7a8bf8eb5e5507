"""`train-fusion` as a program: a kill costs nothing that was scored; `analyze` states what was trained."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imforensics.models.fusion.bundle import load_fusion

pytest.importorskip("sklearn", reason="needs the train extra")
N_PAIRS, N_PHOTOS = 30, 52
FIRST_PHOTOS = 20  # in a set of their own


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory, photo_like: Callable[..., NDArray[np.uint8]]) -> Path:
    """twins.csv: hosts that were saved coarsely, and splices of fine noise; two sets of more such hosts."""
    root = tmp_path_factory.mktemp("sets")
    twins, photos = [], []
    for number in range(N_PAIRS):
        host = save(photo_like(96, 128, seed=number), root / f"host{number}.jpg", 60)
        splice = host.copy()
        splice[24:72, 32:96] = np.random.default_rng(number).integers(0, 256, (48, 64, 3))
        save(splice, root / f"splice{number}.jpg", 92)
        twins.append([f"host{number}.jpg", "authentic", f"s{number}", "val", f"s{number}"])
        twins.append([f"splice{number}.jpg", "tampered", f"s{number}", "val", f"s{number}"])
    for number in range(N_PHOTOS):
        save(photo_like(96, 128, seed=1000 + number), root / f"photo{number}.jpg", 60)
        photos.append([f"photo{number}.jpg", "authentic", f"p{number}", "val", ""])
    first, second = photos[:FIRST_PHOTOS], photos[FIRST_PHOTOS:]
    for name, rows in (("twins", twins), ("photos", first), ("more_photos", second)):
        with (root / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["image", "label", "group", "split", "host"], *rows])
    return root


def save(pixels: NDArray[np.uint8], path: Path, quality: int) -> NDArray[np.uint8]:
    Image.fromarray(pixels).save(path, quality=quality)
    return np.asarray(Image.open(path).convert("RGB"))


def command(sets: Path, run: Path, *more: str) -> list[str]:
    settings = [
        "methods=[ela, wavelet_noise]",
        f"twins=[{{name: folder, root: '{sets / 'twins.csv'}'}}]",
        "camera_photos=["
        f"{{name: folder, root: '{sets / 'photos.csv'}'}}, "
        f"{{name: folder, root: '{sets / 'more_photos.csv'}'}}]",
    ]
    chosen = [f"--set={setting}" for setting in settings]
    return [sys.executable, "-m", "imforensics.cli.main", "train-fusion", *chosen, "-o", str(run), *more]


def train(sets: Path, run: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(sets, run, *more), capture_output=True, text=True, check=False, timeout=180)


def stored(run: Path) -> list[tuple[str, str]]:
    """Trial and entry of every record on disk."""
    rows = []
    for path in sorted(run.glob("scores/*/records.jsonl")):
        for line in path.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                record = json.loads(line)
                rows.append((record["trial"], record["entry"]))
    return rows


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_killed_run_goes_on_to_the_same_fusion(sets: Path, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    with subprocess.Popen(
        command(sets, killed, "-q", "-j", "1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 120
        while len(stored(killed)) < 20 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    before = stored(killed)
    assert 20 <= len(before) < 2 * (2 * N_PAIRS + N_PHOTOS), "it must be killed in mid-run"

    whole = train(sets, straight)
    assert whole.returncode == 0, whole.stderr
    resumed = train(sets, killed, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    rows = stored(killed)
    assert rows[: len(before)] == before, "what was scored is not scored again"
    assert len(rows) == len(set(rows)) == 2 * (2 * N_PAIRS + N_PHOTOS)
    first, second = (load_fusion(run / "bundle").manifest for run in (straight, killed))
    assert first.model == second.model
    assert first.provenance.sources == second.provenance.sources
    check_run(straight, json.loads(whole.stdout))

    refused = train(sets, killed)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    other = train(sets, killed, "--resume", "--set=seed=1")
    assert other.returncode == 1
    assert "started with other settings (seed: 1)" in other.stderr
    check_use(sets, straight)


def check_run(run: Path, printed: dict[str, object]) -> None:
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.yaml", "scores", "fit_log.json", "calibration.png", "MODEL_CARD.md", "bundle"}
    assert {path.name for path in (run / "bundle").iterdir()} == {
        "fusion.yaml",
        "MODEL_CARD.md",
        "fit_log.json",
        "config.yaml",
        "calibration.png",
    }
    with Image.open(run / "calibration.png") as figure:
        assert figure.format == "PNG"
    manifest = load_fusion(run / "bundle").manifest
    twins, *photos = manifest.provenance.sources
    assert (twins.role, twins.trials, twins.used, twins.left_out) == ("twins", 2 * N_PAIRS, 2 * N_PAIRS, {})
    used = [(source.role, source.used) for source in photos]
    assert used == [("camera_photographs", FIRST_PHOTOS), ("camera_photographs", N_PHOTOS - FIRST_PHOTOS)]
    calibration = manifest.model.calibration
    assert calibration.thresholds is not None
    assert calibration.thresholds.notes[0].startswith(f"0 of {N_PHOTOS} camera photographs")
    assert (calibration.n_authentic, calibration.n_tampered) == (N_PAIRS, N_PAIRS)
    assert (calibration.conditions.min_side, calibration.conditions.max_pixels) == (64, None)
    classes = manifest.model.classes
    assert not classes["jpeg_small"].is_borrowed
    assert classes["no_jpeg_large"].is_borrowed
    assert printed["weights"]["ela"] > 0.5  # type: ignore[index]
    assert manifest.methods["ela"].options["quality"] == 90
    card = (run / "MODEL_CARD.md").read_text()
    assert "| ela |" in card
    assert "Limits" in card


def check_use(sets: Path, run: Path) -> None:
    """`analyze` states with the trained fusion, and `evaluate` measures that statement."""
    program = [sys.executable, "-m", "imforensics.cli.main"]
    settings = ["--set", "methods={ela: {}, wavelet_noise: {}}", "--set", f"fusion={run / 'bundle'}"]
    done = subprocess.run(
        [*program, "analyze", "--json", str(sets / "splice3.jpg"), *settings],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["statement"]["basis"] == ["ela", "wavelet_noise"]
    assert document["log10_lr"] > 0
    assert document["statement"]["evidence_class"].startswith("jpeg_small")
    assert any("moved the log10 odds" in reason for reason in document["statement"]["reasons"])
    asked = ["--method", "statement", "--dataset", "folder", "--split", "val", "--protocol", "twin"]
    measured = subprocess.run(
        [*program, "evaluate", *asked, "--root", str(sets / "twins.csv"), "--json", "-q", *settings],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert measured.returncode == 0, measured.stderr
    statement = json.loads(measured.stdout)["methods"]["statement"]
    assert statement["counts"]["scored"] == 2 * N_PAIRS
    assert statement["detection"]["metrics"]["auc"] > 0.9
    assert statement["calibration"]["cllr"] < 0.7
