"""Wavelet noise as a method: marks a noisier patch, knows where it is blind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from imforensics.methods.wavelet_noise import PICTURE_SCALE, WaveletNoise
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def noisy(height: int, width: int, sigma: float, seed: int = 0) -> np.ndarray:
    """Gray noise, so that its standard deviation is that of the luma."""
    plane = np.random.default_rng(seed).normal(128, sigma, (height, width, 1))
    return np.repeat(plane.round().clip(0, 255), 3, axis=2).astype(np.uint8)


def with_patch(patch_sigma: float) -> np.ndarray:
    pixels = noisy(256, 320, 4)
    pixels[96:176, 128:224] = noisy(80, 96, patch_sigma, seed=1)
    return pixels


def test_a_noisier_patch_is_marked_and_the_rest_is_not() -> None:
    finding = WaveletNoise().analyze(evidence_of(with_patch(12)))
    assert finding.map.values[112:160, 144:208].min() > 0.6
    assert finding.map.values[:64].max() < 0.5
    assert finding.score > 0.7
    even = WaveletNoise().analyze(evidence_of(noisy(256, 320, 4)))
    assert even.score < 0.3
    assert even.map.values.max() < 0.5


def test_a_smoother_patch_counts_only_with_either() -> None:
    evidence = evidence_of(with_patch(1))
    noisier = WaveletNoise().analyze(evidence)
    either = WaveletNoise(WaveletNoise.Options(deviation="either")).analyze(evidence)
    assert noisier.map.values[112:160, 144:208].max() < 0.1
    assert either.map.values[112:160, 144:208].min() > 0.6
    assert noisier.score == either.score > 0.7
    assert "away from" in either.notes[-1]


def test_observations_give_the_noise_levels() -> None:
    finding = WaveletNoise(WaveletNoise.Options(block=32)).analyze(evidence_of(noisy(512, 512, 6)))
    assert finding.observations["sigma"] == pytest.approx(math.hypot(6, 12**-0.5), rel=0.03)
    assert (
        finding.observations["sigma_q05"] < finding.observations["sigma"] < finding.observations["sigma_q95"]
    )
    assert finding.observations["analysable_share"] == 1


def test_picture_is_on_the_fixed_scale_of_its_caption() -> None:
    artifact = WaveletNoise().analyze(evidence_of(noisy(256, 256, 4))).artifacts["noise"]
    assert artifact.pixels.shape == (256, 256)
    assert artifact.pixels.dtype == np.uint8
    assert np.median(artifact.pixels) == pytest.approx(4 * PICTURE_SCALE, rel=0.05)
    assert f"x {PICTURE_SCALE}" in artifact.caption


def test_flat_and_saturated_parts_are_not_valid_and_do_not_move_the_median() -> None:
    pixels = noisy(128, 128, 4)
    pixels[:96, :64] = 90
    pixels[96:, :64] = 255
    finding = WaveletNoise().analyze(evidence_of(pixels))
    assert not finding.map.valid[:, :64].any()
    assert finding.map.valid[:, 64:].all()
    assert finding.observations["sigma"] == pytest.approx(4, rel=0.1)


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
    "options", [{"block": 9}, {"block": 6}, {"block": 300}, {"deviation": "less"}, {"x": 1}]
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ValidationError):
        WaveletNoise.Options(**options)
