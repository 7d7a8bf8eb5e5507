"""`train-detector` for a localizer as a program: a kill costs nothing but the unfinished epoch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fixtures.localizer_data import SETTINGS, write_photographs
from fixtures.training_runs import TrainingProgram, rows_of, skip_without
from imforensics.models.localizer.bundle import load_localizer

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.usefixtures("training_extra")]
CHANGED = ("fit.epochs=5", "fit.steps=6", "fit.precision=float32", "data.validation_pairs=8", "workers=2")
PROGRAM = TrainingProgram(
    "train-detector",
    (*(text for text in SETTINGS if text.split("=")[0] not in {c.split("=")[0] for c in CHANGED}), *CHANGED),
    data="data.photos=[{{name: folder, root: '{}'}}]",
    config=Path(__file__).parents[2] / "configs" / "train_localizer.yaml",
)


@pytest.fixture(scope="module")
def training_extra() -> None:
    skip_without("tensorflow", "keras", "onnx", "cv2", "sklearn", "matplotlib")


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_killed_run_goes_on_to_the_same_rows_and_networks(tmp_path: Path) -> None:
    manifest = write_photographs(tmp_path / "photographs")
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    printed = json.loads(PROGRAM.train_straight_and_killed(manifest, straight, killed))
    assert printed["epochs"] == 5
    assert [row["epoch"] for row in rows_of(killed)] == ["1", "2", "3", "4", "5"]
    for part in ("stem", "trunk", "scorer"):
        networks = [(run / "bundle" / f"{part}.onnx").read_bytes() for run in (straight, killed)]
        assert networks[0] == networks[1]
    one, other = (load_localizer(run / "bundle").manifest for run in (straight, killed))
    assert one.calibration == other.calibration
    assert one.map_threshold == other.map_threshold
    assert one.provenance.config_digest == other.provenance.config_digest
    PROGRAM.check_other_settings_are_refused(manifest, killed)
