"""`train-gan` as a program: a kill in the middle costs nothing but the unfinished epoch."""

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

from imforensics.models.gan_bundle import load_gan_bundle
from imforensics.models.reconstruction import load_reconstructor

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("training_extra")]
SETTINGS = (
    "dataset.name=folder",
    "images.size=16",
    "networks.latent=4",
    "networks.generator_filters=[8, 8, 4]",
    "networks.discriminator_filters=[4, 8]",
    "networks.encoder_filters=[4, 8]",
    "fit.batch_size=4",
    "fit.epochs=6",
    "fit.sample_every=3",
    "fit.samples=8",
    "encoder.batch_size=4",
    "encoder.epochs=3",
    "search.steps=3",
    "search.restarts=2",
)
TIMINGS = {"seconds", "steps_per_second", "images_per_second"}


@pytest.fixture(scope="module")
def training_extra() -> None:
    for name in ("tensorflow", "keras", "onnx"):
        if find_spec(name) is None:  # not imported here: the runs are programs of their own
            pytest.skip(f"{name} is not installed (extra train)")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made data set of two-coloured pictures; the tampered ones must not be read."""
    root = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(24):
        pixels = np.empty((20, 24, 3), np.uint8)
        pixels[:, :12], pixels[:, 12:] = rng.integers(0, 256, (2, 3))
        name, label = f"{number:03d}.png", int(number % 6 == 5)
        if label:
            (root / name).write_bytes(b"no image")
        else:
            Image.fromarray(pixels).save(root / name)
        split = "train" if number < 15 else "val"
        rows.append({"image": name, "label": label, "group": f"g{number}", "split": split})
    path = root / "manifest.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label", "group", "split"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def command(manifest: Path, run: Path, *more: str) -> list[str]:
    settings = [f"--set={setting}" for setting in (*SETTINGS, f"dataset.root={manifest}")]
    return [sys.executable, "-m", "imforensics.cli.main", "train-gan", *settings, "-o", str(run), *more]


def rows_of(run: Path, name: str = "training_log.csv") -> list[dict[str, str]]:
    path = run / name
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return [
            {key: value for key, value in row.items() if key not in TIMINGS} for row in csv.DictReader(lines)
        ]


def train(manifest: Path, run: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(manifest, run, *more), capture_output=True, text=True, check=False, timeout=300
    )


def kill_after_rows(manifest: Path, run: Path, count: int) -> None:
    with subprocess.Popen(
        command(manifest, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 200
        while len(rows_of(run)) < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_run_goes_on_to_the_same_losses(manifest: Path, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    kill_after_rows(manifest, killed, 2)
    logged = rows_of(killed)
    assert 2 <= len(logged) < 6, "it must be killed in mid-training"

    whole = train(manifest, straight)
    assert whole.returncode == 0, whole.stderr
    resumed = train(manifest, killed, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert rows_of(killed)[: len(logged)] == logged
    for name in ("training_log.csv", "encoder_log.csv"):
        assert rows_of(killed, name) == rows_of(straight, name) != []
    for name in ("generator", "encoder", "discriminator", "search"):
        networks = [(run / "bundle" / f"{name}.onnx").read_bytes() for run in (straight, killed)]
        assert networks[0] == networks[1]
    check_run_folder(killed, json.loads(resumed.stdout))
    check_export_again(manifest, straight)

    other = train(manifest, killed, "--resume", "--set=seed=1")
    assert other.returncode == 1
    assert "started with other settings (seed: 1)" in other.stderr
    assert "Traceback" not in other.stderr


def check_run_folder(run: Path, printed: dict[str, object]) -> None:
    names = {path.name for path in run.iterdir()}
    assert names >= {"config.yaml", "training_log.csv", "encoder_log.csv", "curves.png", "encoder_curves.png"}
    assert names >= {"tensorboard", "checkpoints", "samples", "samples.jpg", "bundle", "MODEL_CARD.md"}
    assert sorted(path.name for path in (run / "samples").iterdir()) == [
        "epoch_0000.png",
        "epoch_0003.png",
        "epoch_0006.png",
    ]
    manifest = load_gan_bundle(run / "bundle").manifest
    assert {(item.mode, item.view) for item in manifest.measurements} == {
        (mode, view)
        for mode in ("noise", "search", "encoder", "encoder+search")
        for view in ("whole", "patches")
    }
    assert manifest.provenance.train_images == 13, "authentic images only"
    assert len(manifest.error_scales) == 6
    assert printed["epochs"] == 6
    made = load_reconstructor(run / "bundle").reconstruct(np.zeros((1, 16, 16, 3), np.float32))
    assert made.shape == (1, 16, 16, 3)


def check_export_again(manifest: Path, run: Path) -> None:
    """A finished run that is resumed changes no network and writes the bundle anew."""
    rows, bundle = rows_of(run), run / "bundle"
    network = (bundle / "search.onnx").read_bytes()
    (bundle / "search.onnx").unlink()
    (bundle / "bundle.yaml").unlink()
    again = train(manifest, run, "--resume")
    assert again.returncode == 0, again.stderr
    assert rows_of(run) == rows
    assert (bundle / "search.onnx").read_bytes() == network
    assert load_gan_bundle(bundle).manifest.provenance.gan_epochs == 6
