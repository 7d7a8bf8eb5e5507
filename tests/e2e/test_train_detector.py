"""`train-detector` as a program: a kill in the middle costs nothing but the unfinished epoch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.training_runs import TrainingProgram, rows_of, skip_without, write_manifest
from imforensics.models.classifier.bundle import load_bundle

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("training_extra")]
EPOCHS = 30  # so many that a kill after two rows comes in time
PROGRAM = TrainingProgram(
    "train-detector",
    (
        "dataset.name=folder",
        "input.kind=rgb",
        "input.height=32",
        "input.width=32",
        "network.filters=[8, 8]",
        "network.dense=8",
        "fit.batch_size=8",
        f"fit.epochs={EPOCHS}",
        f"fit.patience={EPOCHS}",
        "workers=1",
    ),
)


@pytest.fixture(scope="module")
def training_extra() -> None:
    skip_without("tensorflow", "keras", "onnx")


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
    return write_manifest(root, rows)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_run_goes_on_to_the_same_rows(manifest: Path, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    printed = PROGRAM.train_straight_and_killed(manifest, straight, killed)
    assert [row["epoch"] for row in rows_of(killed)] == [str(epoch) for epoch in range(1, EPOCHS + 1)]
    check_run_folder(killed, json.loads(printed))
    same = load_bundle(straight / "bundle")
    assert load_bundle(killed / "bundle").manifest.thresholds == same.manifest.thresholds

    refused = PROGRAM.train(manifest, killed)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    assert "Traceback" not in refused.stderr
    PROGRAM.check_other_settings_are_refused(manifest, killed)


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
    assert "header baseline" in (run / "bundle" / "MODEL_CARD.md").read_text()
