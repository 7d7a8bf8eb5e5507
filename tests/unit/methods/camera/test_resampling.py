"""Resampling: finds an enlarged part, sets a resized image apart, is silent on noise."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.methods.camera.interpolation_spectrum import (
    MAX_ERROR,
    prediction_error,
    relative_power,
    usable_frequencies,
)
from imforensics.methods.camera.resampling import MAX_NFA, Resampling
from imforensics.types import Evidence, Finding


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """White noise around a slope, (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(60, 180, width)[None, :, None]
    return np.clip(slope + rng.normal(0, 6, (height, width, 3)), 0, 255).astype(np.uint8)


def enlarged(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def evidence_of(pixels: np.ndarray) -> Evidence:
    import io

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return read_evidence(buffer.getvalue(), name="made.png")


def analyze(pixels: np.ndarray) -> Finding:
    return Resampling().analyze(evidence_of(pixels))


def test_an_enlarged_part_is_marked_where_it_is() -> None:
    pixels = noise(512, 512)
    pixels[192:448, 64:320] = enlarged(noise(200, 200, seed=1), 256, 256)
    finding = analyze(pixels)
    assert finding.score > 0.99
    assert finding.mask[240:400, 112:272].mean() > 0.9
    assert finding.mask[:, 400:].mean() == 0
    assert finding.observations["whole_image_resampled"] is False
    frequency = np.abs(finding.observations["peak_frequency"])
    period = 200 / 256  # the weights repeat with the ratio of the sizes
    assert min(abs(f - g) for f in frequency for g in (period, 1 - period)) < 0.02


def test_noise_without_a_period_raises_no_alarm() -> None:
    for seed in range(3):
        finding = analyze(noise(384, 512, seed))
        assert finding.observations["windows_with_peak"] == 0
        assert finding.score < 0.5
        assert not finding.mask.any()


def test_a_resized_image_is_reported_and_not_marked() -> None:
    finding = analyze(enlarged(noise(400, 400), 512, 512))
    assert finding.observations["whole_image_resampled"] is True
    assert finding.mask.mean() < 0.1
    assert "whole image was resized" in finding.notes[0]


def test_a_small_image_is_declined() -> None:
    finding = analyze(noise(127, 300))
    assert finding.status == "not_applicable"
    assert "at least 128" in finding.notes[0]


def test_power_of_noise_is_exponential_where_it_is_used() -> None:
    windows = np.random.default_rng(0).normal(0, 1, (40, 64, 64)).astype(np.float32)
    power = relative_power(windows)
    usable = usable_frequencies(64)
    values = power[:, usable]
    assert values.mean() == pytest.approx(1, abs=0.02)
    assert (values > 3).mean() == pytest.approx(np.exp(-3), rel=0.15)
    assert (power[:, ~usable] == 0).all()


def test_the_mirrored_half_spectrum_gives_the_background_of_the_whole() -> None:
    window = np.random.default_rng(3).normal(0, 1, (1, 32, 32)).astype(np.float32)
    taper = np.hanning(32)
    whole = np.abs(np.fft.fft2((window[0] - window[0].mean()) * np.outer(taper, taper))) ** 2
    around = np.zeros_like(whole)
    for down in range(-5, 6):
        for across in range(-5, 6):
            around += np.roll(whole, (down, across), (0, 1)) / 121
    expected = np.where(usable_frequencies(32), (whole / around)[:, :17], 0)
    np.testing.assert_allclose(relative_power(window)[0], expected, rtol=1e-3, atol=1e-4)


def test_a_plane_of_second_order_is_predicted_and_edges_are_cut() -> None:
    rows, columns = np.mgrid[0:20, 0:30].astype(np.float32)
    slope = prediction_error(3 * rows + 2 * columns)
    assert slope[1:-1, 1:-1].max() < 1e-3
    step = prediction_error(np.where(rows > 9, 255.0, 0.0).astype(np.float32))
    assert step.max() <= MAX_ERROR


def test_the_limit_is_stricter_than_one() -> None:
    assert 0 < MAX_NFA < 1
