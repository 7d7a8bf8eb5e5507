"""The localizer as a method: map, mask, opinion only where it was calibrated, and what it is not for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.noise_localizer import CONDITIONS, THRESHOLD, write_noise_localizer
from imforensics.errors import BundleError
from imforensics.evidence import read_evidence
from imforensics.methods.learned.localizer import NO_TRACES_NOTE, LearnedLocalizer
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.evidence import read_traces
from imforensics.models.localizer.manifest import LocalizerManifest, LocalizerMeasurement
from imforensics.preprocessing.blocks import upsample_blocks
from imforensics.types import Evidence

FINE_BUT_ONE = [2] * 63 + [300]  # a table of 16 bits

pytestmark = pytest.mark.train  # the made bundle is written with onnx


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx")
    place = tmp_path_factory.mktemp("bundles") / "noise"
    write_noise_localizer(place)
    return place


def method(folder: Path) -> LearnedLocalizer:
    return LearnedLocalizer(LearnedLocalizer.Options(bundle=str(folder)))


def scene(height: int, width: int) -> np.ndarray:
    """Quiet, with a noisy patch in rows 48 to 79, columns 56 to 103."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 2, (height, width, 1))  # gray: chroma of 4:2:0 would spread to the blocks around
    noise[48:80, 56:104] *= 12
    slope = np.linspace(60, 180, width)[np.newaxis, :, np.newaxis]
    return np.repeat(np.clip(slope + noise, 0, 255), 3, axis=2).astype(np.uint8)


def evidence(pixels: np.ndarray, file_format: str = "JPEG", **settings: Any) -> Evidence:
    settings = {"quality": 92} | settings if file_format == "JPEG" else settings
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **settings)
    return read_evidence(buffer.getvalue(), name=f"made.{file_format.lower()}")


@pytest.mark.parametrize("size", [(160, 200), (157, 203)])
def test_what_does_not_belong_is_marked_where_it_is(folder: Path, size: tuple[int, int]) -> None:
    given = evidence(scene(*size))
    finding = method(folder).analyze(given)
    assert (finding.status, finding.family) == ("ok", "learned")
    assert finding.map is not None
    assert finding.mask is not None
    assert finding.map.values.dtype == np.float32
    assert finding.map.values.shape == finding.mask.shape == size
    assert finding.mask[52:76, 60:100].mean() > 0.95
    apart = finding.mask.copy()
    apart[40:88, 48:112] = False
    assert not apart.any()
    assert (finding.threshold, finding.threshold_policy) == (THRESHOLD, "f1_fixed")
    np.testing.assert_array_equal(finding.mask, finding.map.values >= np.float32(THRESHOLD))
    assert finding.score is not None
    assert finding.score > 0.9


def test_map_is_the_bundles_brought_to_pixels(folder: Path) -> None:
    given = evidence(scene(157, 203))
    maps = load_localizer(folder).localize(read_traces(given).traces, given.pixels)
    finding = method(folder).analyze(given)
    assert finding.map is not None
    np.testing.assert_allclose(
        finding.map.values, upsample_blocks(maps.marks, (157, 203), block=8), atol=1e-6
    )
    assert finding.score == pytest.approx(maps.score, abs=1e-6)
    assert method(folder).bundle_digests == {"noise": load_localizer(folder).digest}


def test_an_untouched_picture_is_not_marked(folder: Path) -> None:
    pixels = np.random.default_rng(0).normal(120, 2, (160, 200, 3)).clip(0, 255).astype(np.uint8)
    finding = method(folder).analyze(evidence(pixels))
    assert finding.mask is not None
    assert not finding.mask.any()
    assert finding.score is not None
    assert finding.score < 0.5
    assert finding.observations["marked_share"] == 0
    assert finding.observations["reliability_marked"] is None


def test_opinion_is_the_calibrations(folder: Path) -> None:
    finding = method(folder).analyze(evidence(scene(160, 200)))
    calibration = load_localizer(folder).manifest.calibration
    assert calibration is not None
    assert finding.score is not None
    assert finding.opinion == calibration.opinion(finding.score)
    assert finding.observations["outside_calibration"] == []


@pytest.mark.parametrize(
    ("size", "file_format", "settings", "clause"),
    [
        ((160, 200), "PNG", {}, "the file is not a JPEG"),
        ((400, 400), "JPEG", {}, "the image has 160000 pixels"),
        ((160, 200), "JPEG", {"qtables": [FINE_BUT_ONE] * 2, "quality": -1}, "divisors outside 1 to 255"),
    ],
)
def test_no_opinion_outside_the_calibration(
    folder: Path, size: tuple[int, int], file_format: str, settings: dict[str, Any], clause: str
) -> None:
    assert CONDITIONS.max_pixels == 100_000
    finding = method(folder).analyze(evidence(scene(*size), file_format, **settings))
    assert finding.status == "ok"
    assert finding.score is not None
    assert finding.opinion is None
    assert clause in str(finding.observations["outside_calibration"])
    assert any(note.startswith("No opinion: ") and clause in note for note in finding.notes)


def test_a_bundle_without_calibration_gives_no_opinion(tmp_path: Path) -> None:
    write_noise_localizer(tmp_path / "bare", calibration=None)
    finding = method(tmp_path / "bare").analyze(evidence(scene(160, 200)))
    assert finding.opinion is None
    assert finding.observations["outside_calibration"] == ["the bundle is not calibrated"]


def test_files_without_compression_traces_are_looked_at_and_told(folder: Path) -> None:
    png = method(folder).analyze(evidence(scene(160, 200), "PNG"))
    assert NO_TRACES_NOTE in png.notes
    assert png.observations["has_traces"] is False
    assert png.mask is not None
    assert png.mask[52:76, 60:100].mean() > 0.95
    jpeg = method(folder).analyze(evidence(scene(160, 200)))
    assert jpeg.observations["has_traces"] is True
    assert NO_TRACES_NOTE not in jpeg.notes


def test_gray_jpegs_are_read(folder: Path) -> None:
    finding = method(folder).analyze(evidence(scene(157, 203)[..., 1]))
    assert finding.observations["has_traces"] is True
    assert finding.mask is not None
    assert finding.mask[52:76, 60:100].mean() > 0.95


def test_every_pixel_has_a_value_flat_areas_too(folder: Path) -> None:
    pixels = scene(160, 200)
    pixels[96:] = 255
    finding = method(folder).analyze(evidence(pixels, "PNG"))
    assert finding.map is not None
    assert finding.map.valid is None or finding.map.valid.all()
    assert finding.map.values.shape == (160, 200)


def test_a_flat_image_is_not_applicable(folder: Path) -> None:
    finding = method(folder).analyze(evidence(np.full((80, 80, 3), 9, np.uint8), "PNG"))
    assert finding.status == "not_applicable"
    assert "flat or saturated" in finding.notes[0]


def test_reliability_is_shown_and_told(folder: Path) -> None:
    finding = method(folder).analyze(evidence(scene(160, 200)))
    shown = finding.artifacts["reliability"]
    assert shown.pixels.shape == (160, 200)
    level = round(255 / (1 + np.exp(-2)))
    assert np.abs(shown.pixels.astype(int) - level).max() <= 1
    assert finding.observations["reliability_marked"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)
    assert finding.observations["reliability_elsewhere"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)
    share = finding.observations["marked_share"]
    assert isinstance(share, float)
    assert 0.5 < share / (32 * 48 / (160 * 200)) < 1.3


def test_the_worth_is_told_from_the_bundles_own_test(tmp_path: Path) -> None:
    measured = LocalizerMeasurement(
        protocol="twin",
        dataset="casia1",
        split="test",
        n_authentic=40,
        n_tampered=40,
        metrics={"pixel_auc": 0.88, "f1_fixed": 0.5},
        intervals={"pixel_auc": (0.8, 0.94)},
    )
    made: LocalizerManifest = write_noise_localizer(tmp_path / "told", measurements=(measured,))
    assert made.measurements == (measured,)
    note = method(tmp_path / "told").analyze(evidence(scene(160, 200))).notes[0]
    assert "On 40 tampered test images of casia1" in note
    assert "pixel AUC 0.88 [0.80, 0.94], F1 at the threshold 0.50" in note
    write_noise_localizer(tmp_path / "untold")
    untold = method(tmp_path / "untold").analyze(evidence(scene(160, 200))).notes[0]
    assert "on matched controls was not measured" in untold


def test_a_missing_bundle_is_an_error() -> None:
    with pytest.raises(BundleError, match="No bundle named 'absent'"):
        _ = LearnedLocalizer(LearnedLocalizer.Options(bundle="absent")).bundle_digests
