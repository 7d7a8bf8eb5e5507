"""Threshold and calibration against pictures whose maps and scores are known."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fixtures.localizer_data import HEIGHT, WIDTH, tiny_config, write_photographs
from fixtures.training_runs import write_manifest
from imforensics.errors import ConfigError, DatasetError
from imforensics.models.localizer import calibration as localizer_calibration
from imforensics.models.localizer.calibration import LocalizerCalibration, calibrate_localizer
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.localizer.pairs import LabelledPair
from imforensics.models.localizer.runtime import BlockMaps
from imforensics.models.training.progress import Progress
from imforensics.preprocessing.blocks import block_means

pytestmark = pytest.mark.train  # calibration curves are fitted with SciPy
SIZE = (64, 96)
PAIRS = 40


@pytest.fixture(autouse=True, scope="module")
def libraries() -> None:
    for name in ("scipy", "sklearn"):
        pytest.importorskip(name)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("photographs"))


class ColourRuntime:
    """A localizer that marks by red and scores by blue."""

    def localize(self, traces: object, pixels: NDArray[Any]) -> BlockMaps:
        del traces
        values: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(255)
        marks = np.asarray(block_means(np.ascontiguousarray(values[..., 0]), block=8))
        return BlockMaps(marks, np.ones_like(marks), float(values[..., 2].mean()))


def png(red: NDArray[np.float64], blue: float) -> bytes:
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[..., 0], pixels[..., 2] = np.rint(red * 255), round(blue * 255)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pairs_of_known_scores() -> list[LabelledPair]:
    """Forgeries marked 0.65 or 0.45 within the mask, 0.25 outside; scores 0.8 against 0.3 of the hosts."""
    rng = np.random.default_rng(0)
    mask = np.zeros(SIZE, np.bool_)
    mask[8:32, 16:64] = True
    pairs = []
    for number in range(PAIRS):
        red = np.where(mask, 0.65 if number < 3 * PAIRS / 4 else 0.45, 0.25)
        scores = np.clip(rng.normal((0.8, 0.3), 0.06), 0, 1)
        tampered, host = png(red, scores[0]), png(np.full(SIZE, 0.5), scores[1])
        pairs.append(LabelledPair(tampered, host, mask, True, f"g{number}"))
    return pairs


def calibrate(config: TrainLocalizerConfig) -> LocalizerCalibration:
    return calibrate_localizer(config, ColourRuntime(), progress=Progress())  # type: ignore[arg-type]


def test_threshold_and_labels_follow_the_validation_pictures(
    monkeypatch: pytest.MonkeyPatch, manifest: Path
) -> None:
    asked = []

    def load(config: object, split: str) -> dict[tuple[int, int], list[LabelledPair]]:
        del config
        asked.append(split)
        return {SIZE: pairs_of_known_scores()}

    monkeypatch.setattr(localizer_calibration, "load_labelled_pairs", load)
    config = tiny_config(manifest, f"calibration={{name: folder, root: '{manifest}'}}")
    found = calibrate(config)
    assert set(asked) == {"val"}
    assert 0.25 < found.map_threshold.value <= 0.45, "the hosts' maps, 0.5 all over, have no say"
    assert found.map_threshold.policy == "f1_fixed"
    assert f"{PAIRS} tampered pictures, mean F1 of blocks 1.000" in found.map_threshold.population
    calibration = found.calibration
    assert (calibration.n_authentic, calibration.n_tampered) == (PAIRS, PAIRS)
    assert calibration.protocol == "twin"
    assert calibration.log10_lr(0.8) > 0.5
    assert calibration.log10_lr(0.3) < -0.5
    assert calibration.label(0.85) == "tampered"
    assert calibration.label(0.25) == "authentic"
    conditions = calibration.conditions
    assert (conditions.min_side, conditions.max_pixels) == (64, HEIGHT * WIDTH)
    roles = [(source.role, source.images) for source in found.sources]
    assert roles == [("calibration", 2 * PAIRS), ("photographs for thresholds", 4)]


def test_a_photograph_that_scores_high_moves_the_label(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        localizer_calibration, "load_labelled_pairs", lambda *_: {SIZE: pairs_of_known_scores()}
    )
    rows: list[dict[str, str | int]] = []
    for number, blue in enumerate((0.1, 0.2, 0.82)):
        (tmp_path / f"{number}.png").write_bytes(png(np.full(SIZE, 0.2), blue))
        rows.append({"image": f"{number}.png", "label": 0, "group": f"g{number}", "split": "val"})
    manifest = write_manifest(tmp_path, rows)
    config = tiny_config(manifest, f"calibration={{name: folder, root: '{manifest}'}}")
    calibration = calibrate(config).calibration
    assert calibration.label(0.81) == "inconclusive"
    assert calibration.label(0.9) == "tampered"


def test_two_sets_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each keeps to the false-alarm rate by itself; the first is the camera's."""
    monkeypatch.setattr(
        localizer_calibration, "load_labelled_pairs", lambda *_: {SIZE: pairs_of_known_scores()}
    )
    manifests = []
    for folder, blue in (("camera", 0.82), ("web", 0.1)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.png").write_bytes(png(np.full(SIZE, 0.2), blue))
        rows: list[dict[str, str | int]] = [{"image": "0.png", "label": 0, "group": "g", "split": "val"}]
        manifests.append(write_manifest(tmp_path / folder, rows))
    sets = ", ".join(f"{{name: folder, root: '{path}'}}" for path in manifests)
    calibration = f"calibration={{name: folder, root: '{manifests[0]}'}}"
    found = calibrate(tiny_config(manifests[0], calibration, f"data.photos=[{sets}]"))
    assert [source.images for source in found.sources] == [2 * PAIRS, 1, 1]
    assert found.calibration.label(0.81) == "inconclusive", "the first set's photograph counts"
    thresholds = found.calibration.thresholds
    assert thresholds is not None
    assert any("folder 2 above it" in note for note in thresholds.notes)
    assert not any("folder above it" in note for note in thresholds.notes)

    pooled = calibrate(
        tiny_config(manifests[0], calibration, f"data.photos=[{sets}]", "data.camera_sets=2")
    ).calibration
    assert pooled.thresholds is not None
    assert any("0 of 2 camera photographs" in note for note in pooled.thresholds.notes)
    assert not any("folder 2" in note for note in pooled.thresholds.notes)


def test_there_are_no_more_sets_of_camera_photographs_than_sets(manifest: Path) -> None:
    with pytest.raises(ConfigError, match="camera_sets is 2, but photos names 1 sets"):
        tiny_config(manifest, "data.camera_sets=2")


def test_without_labelled_pairs_made_ones_are_calibrated_on(manifest: Path) -> None:
    config = tiny_config(manifest, "data.validation_pairs=6")
    found = calibrate(config)
    assert "forgeries made from photographs of the validation split" in found.map_threshold.population
    assert found.calibration.n_authentic == found.calibration.n_tampered <= 6
    assert [source.role for source in found.sources] == ["photographs for thresholds"]


def test_photographs_of_the_validation_split_are_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        localizer_calibration, "load_labelled_pairs", lambda *_: {SIZE: pairs_of_known_scores()}
    )
    manifest = write_photographs(tmp_path, train=2, val=0)
    config = tiny_config(manifest, f"calibration={{name: folder, root: '{manifest}'}}")
    with pytest.raises(DatasetError, match="val"):
        calibrate(config)
