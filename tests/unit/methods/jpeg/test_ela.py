"""Error level analysis as a method: finds a pasted patch, says what it cannot do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from imforensics.methods.jpeg.ela import BLOCK, HALF_WAY_RESIDUAL, ErrorLevelAnalysis
from imforensics.preprocessing.ela import ela_picture, ela_residual
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(128, 12, (height, width, 3)).clip(0, 255).astype(np.uint8)


def spliced() -> np.ndarray:
    pixels = resave_jpeg(texture(160, 200), quality=60)
    pixels[64:112, 80:144] = texture(48, 64, seed=1)
    return pixels


def test_a_pasted_patch_is_brighter_in_the_map() -> None:
    finding = ErrorLevelAnalysis(ErrorLevelAnalysis.Options(quality=60)).analyze(evidence_of(spliced()))
    inside, outside = finding.map.values[72:104, 88:136], finding.map.values[:48]
    assert finding.status == "ok"
    assert inside.min() > outside.max()
    whole = ErrorLevelAnalysis(ErrorLevelAnalysis.Options(quality=60)).analyze(
        evidence_of(resave_jpeg(texture(160, 200), quality=60))
    )
    assert whole.score < finding.score


def test_map_is_the_documented_function_of_the_local_mean() -> None:
    pixels = texture(80, 96)
    finding = ErrorLevelAnalysis().analyze(evidence_of(pixels))
    means = ela_residual(pixels).reshape(10, 8, 12, 8, 3).mean(axis=(1, 3, 4))
    local = means[3:6, 4:7].mean()
    expected = local / (local + HALF_WAY_RESIDUAL)
    center = finding.map.values[4 * BLOCK + 3 : 4 * BLOCK + 5, 5 * BLOCK + 3 : 5 * BLOCK + 5]
    assert center.mean() == pytest.approx(expected, rel=0.02)
    typical, top = np.quantile(means, (0.5, 0.99))
    assert finding.score == pytest.approx((top - typical) / (top - typical + HALF_WAY_RESIDUAL), rel=1e-4)


def test_map_of_a_region_does_not_depend_on_the_rest_of_the_image() -> None:
    alone = texture(160, 160)
    loud = alone.copy()
    loud[:, 112:] = np.random.default_rng(4).integers(0, 256, (160, 48, 3))
    maps = [ErrorLevelAnalysis().analyze(evidence_of(pixels)).map.values for pixels in (alone, loud)]
    np.testing.assert_array_equal(maps[0][:, :80], maps[1][:, :80])


def test_picture_shows_the_residual_on_the_scale_of_its_caption() -> None:
    pixels = texture(40, 60)
    options = ErrorLevelAnalysis.Options(quality=75, subsampling="4:4:4")
    artifact = ErrorLevelAnalysis(options).analyze(evidence_of(pixels)).artifacts["ela"]
    np.testing.assert_array_equal(
        artifact.pixels, ela_picture(ela_residual(pixels, quality=75, subsampling="4:4:4"), scale=15)
    )
    assert "quality 75, 4:4:4" in artifact.caption
    assert "x 15" in artifact.caption


def test_flat_and_saturated_parts_are_not_valid() -> None:
    pixels = texture(64, 64)
    pixels[:16, :16] = 90
    pixels[32:, 32:] = 255
    valid = ErrorLevelAnalysis().analyze(evidence_of(pixels)).map.valid
    assert not valid[:16, :16].any()
    assert not valid[32:, 32:].any()
    assert valid[16:32].all()


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (texture(15, 200), "200x15 pixels"),
        (texture(1, 1), "at least 16"),
        (np.zeros((16, 65_501, 3), np.uint8), "at most 65500"),
        (np.full((64, 64, 3), 255, np.uint8), "Flat or saturated"),
        (np.full((64, 64, 3), 100, np.uint8), "Flat or saturated"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    finding = ErrorLevelAnalysis().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert finding.score is None
    assert finding.map is None
    assert reason in finding.notes[0]


def test_read_only_evidence_stays_as_it_is() -> None:
    pixels = texture(33, 47)
    pixels.setflags(write=False)
    evidence = replace(evidence_of(pixels), format="TIFF")
    finding = ErrorLevelAnalysis().analyze(evidence)
    assert finding.map.values.shape == (33, 47)
    assert finding.map.valid.shape == (33, 47)


@pytest.mark.parametrize(
    "options", [{"quality": 0}, {"quality": 101}, {"subsampling": "4:1:1"}, {"scale": 3}]
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        ErrorLevelAnalysis.Options(**options)
