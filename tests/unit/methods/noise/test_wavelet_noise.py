"""Wavelet noise as a method: marks a noisier patch, knows where it is blind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from imforensics.methods.noise.wavelet_noise import PICTURE_SCALE, WaveletNoise
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def noisy(height: int, width: int, sigma: float, seed: int = 0) -> np.ndarray:
    """Gray of 128 with independent noise of that standard deviation in each channel."""
    plane = np.random.default_rng(seed).normal(128, sigma, (height, width, 3))
    return plane.round().clip(0, 255).astype(np.uint8)


def gray(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[..., :1], 3, axis=2)


def with_patch(patch_sigma: float) -> np.ndarray:
    pixels = noisy(256, 320, 4)
    pixels[80:176, 128:240] = noisy(96, 112, patch_sigma, seed=1)
    return pixels


def test_a_noisier_patch_is_marked_and_the_rest_is_not() -> None:
    finding = WaveletNoise().analyze(evidence_of(with_patch(12)))
    assert finding.map.values[96:160, 144:224].min() > 0.9
    assert finding.map.values[:32].max() < 0.5
    assert finding.score > 0.4
    even = WaveletNoise().analyze(evidence_of(noisy(256, 320, 4)))
    assert even.score < 0.3
    assert even.map.values.max() < 0.9
    assert np.mean(even.map.values > 0.5) < 0.1


def test_noise_of_the_colour_alone_is_seen() -> None:
    """Red and green change against each other, so that the luma stays as it is."""
    pixels = noisy(256, 320, 2).astype(np.int64)
    extra = np.random.default_rng(2).normal(0, 9, (96, 112)).round().astype(np.int64)
    pixels[80:176, 128:240, 0] += extra
    pixels[80:176, 128:240, 1] -= np.round(extra * 0.299 / 0.587).astype(np.int64)
    finding = WaveletNoise().analyze(evidence_of(pixels.clip(0, 255).astype(np.uint8)))
    assert finding.map.values[96:160, 144:224].min() > 0.9
    assert finding.map.values[:32].max() < 0.5


def test_score_is_the_excess_of_the_noisiest_hundredth() -> None:
    """Levels 4 and 12: colour is three times as noisy, of which the luma's 3^0.2 is taken off."""
    pixels = noisy(512, 512, 4)
    pixels[:256, :256] = noisy(256, 256, 12, seed=1)
    finding = WaveletNoise().analyze(evidence_of(pixels))
    assert finding.score == pytest.approx(1 - 3**-0.8, abs=0.05)


def test_a_smoother_patch_counts_only_with_either() -> None:
    evidence = evidence_of(with_patch(1))
    noisier = WaveletNoise().analyze(evidence)
    either = WaveletNoise(WaveletNoise.Options(deviation="either")).analyze(evidence)
    assert noisier.map.values[96:160, 144:224].max() < 0.1
    assert either.map.values[112:144, 160:208].min() > 0.9
    assert noisier.score < 0.3 < either.score
    assert "away from" in either.notes[-1]


def test_observations_give_the_noise_levels() -> None:
    """Cb and Cr of white noise of 6 in each channel, at half size."""
    finding = WaveletNoise(WaveletNoise.Options(block=16)).analyze(evidence_of(noisy(512, 512, 6)))
    weights = (np.linalg.norm([0.168736, 0.331264, 0.5]), np.linalg.norm([0.5, 0.418688, 0.081312]))
    expected = math.hypot(6, 12**-0.5) / 2 * math.sqrt(weights[0] * weights[1])
    assert finding.observations["plane"] == "chroma"
    assert finding.observations["sigma"] == pytest.approx(expected, rel=0.03)
    assert (
        finding.observations["sigma_q05"] < finding.observations["sigma"] < finding.observations["sigma_q95"]
    )
    assert finding.observations["analysable_share"] == 1
    assert "outside_calibration" not in finding.observations


def test_without_colour_the_brightness_is_compared_and_said() -> None:
    finding = WaveletNoise().analyze(evidence_of(gray(with_patch(12))))
    assert finding.observations["plane"] == "luma"
    assert finding.observations["sigma"] == pytest.approx(2, rel=0.1)
    assert finding.observations["outside_calibration"]
    assert "no colour" in finding.notes[0]
    assert finding.map.values[96:160, 144:224].min() > 0.9
    assert finding.map.values[:32].max() < 0.5


def test_picture_is_on_the_fixed_scale_of_its_caption() -> None:
    finding = WaveletNoise().analyze(evidence_of(noisy(256, 256, 4)))
    artifact = finding.artifacts["noise"]
    assert artifact.pixels.shape == (256, 256)
    assert artifact.pixels.dtype == np.uint8
    assert np.median(artifact.pixels) == pytest.approx(
        finding.observations["sigma"] * PICTURE_SCALE, rel=0.05
    )
    assert f"x {PICTURE_SCALE}" in artifact.caption


def test_flat_and_saturated_parts_are_not_valid_and_do_not_move_the_median() -> None:
    pixels = noisy(256, 256, 4)
    pixels[:192, :128] = 90
    pixels[192:, :128] = 255
    finding = WaveletNoise().analyze(evidence_of(pixels))
    assert not finding.map.valid[:, :112].any()
    assert finding.map.valid[:, 136:].all()
    whole = WaveletNoise().analyze(evidence_of(noisy(256, 256, 4)))
    assert finding.observations["sigma"] == pytest.approx(whole.observations["sigma"], rel=0.1)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (noisy(15, 200, 4), "200x15 pixels"),
        (noisy(1, 1, 4), "at least 16"),
        (np.full((64, 64, 3), 255, np.uint8), "Flat, saturated"),
        (np.full((64, 64, 3), 100, np.uint8), "Flat, saturated"),
        (np.repeat(np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 64, 0), 3, 2), "without noise"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    finding = WaveletNoise().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert finding.score is None
    assert reason in finding.notes[0]


@pytest.mark.parametrize("shape", [(16, 16), (17, 300), (33, 47)])
def test_small_and_odd_sizes_keep_their_shape(shape: tuple[int, int]) -> None:
    finding = WaveletNoise().analyze(evidence_of(noisy(*shape, 5)))
    assert finding.status == "ok"
    assert finding.map.values.shape == finding.map.valid.shape == shape
    assert 0 <= finding.score <= 1


@pytest.mark.parametrize(
    "options", [{"block": 9}, {"block": 10}, {"block": 4}, {"block": 300}, {"deviation": "less"}, {"x": 1}]
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        WaveletNoise.Options(**options)
