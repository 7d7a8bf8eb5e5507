"""Noisesniffer as a method: finds a quieter patch, is silent on even noise, knows where it is blind."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from imforensics.methods.noise.noisesniffer import Noisesniffer
from imforensics.types import Evidence, Metadata


def evidence_of(pixels: np.ndarray) -> Evidence:
    return Evidence(
        "made", None, 1, "0" * 64, "0" * 64, "PNG", True, "RGB", pixels, 1, 1, None, Metadata()
    )  # fmt: skip


def shaded(height: int, width: int, sigma: float, seed: int = 0) -> np.ndarray:
    """A smooth picture of many brightnesses, with noise."""
    rows, columns = np.mgrid[:height, :width]
    base = 120 + 50 * np.sin(rows / 90) + 40 * np.cos(columns / 70)
    noise = np.random.default_rng(seed).normal(0, sigma, (height, width, 3))
    return (base[..., None] + noise).round().clip(0, 255).astype(np.uint8)


def test_a_quieter_patch_is_found_where_it_is() -> None:
    pixels = shaded(384, 480, 4)
    pixels[96:192, 240:384] = shaded(384, 480, 2, seed=1)[96:192, 240:384]
    finding = Noisesniffer().analyze(evidence_of(pixels))
    truth = np.zeros((384, 480), bool)
    truth[96:192, 240:384] = True
    assert (finding.mask & truth).sum() / (finding.mask | truth).sum() > 0.9
    assert finding.score > 0.7
    assert finding.threshold_policy == "nfa_0.01"
    np.testing.assert_array_equal(finding.mask, finding.map.values >= finding.threshold)
    (region,) = finding.observations["regions"]
    assert region["box"] == [96, 240, 192, 384]
    assert region["quiet_share"] > 0.65
    assert region["log10_nfa"] == finding.observations["lowest_log10_nfa"] < -6
    assert "1 region has" in finding.notes[0]


@pytest.mark.parametrize("seed", range(4))
def test_even_noise_is_no_alarm(seed: int) -> None:
    finding = Noisesniffer().analyze(evidence_of(shaded(300, 400, 4, seed)))
    assert not finding.mask.any()
    assert finding.score < 0.5
    assert finding.observations["regions"] == []
    assert "No region" in finding.notes[0]


def test_noise_that_follows_brightness_is_no_alarm() -> None:
    """Twice the noise in the bright half: only blocks of one brightness are compared."""
    rng = np.random.default_rng(0)
    level = np.where(np.arange(400) < 200, 60, 180)[None, :, None]
    sigma = np.where(np.arange(400) < 200, 2, 4)[None, :, None]
    pixels = (level + rng.normal(0, 1, (400, 400, 3)) * sigma).round().astype(np.uint8)
    assert not Noisesniffer().analyze(evidence_of(pixels)).mask.any()


def test_cells_without_smooth_blocks_are_not_valid() -> None:
    pixels = shaded(240, 240, 3)
    pixels[:48, :96] = 255
    finding = Noisesniffer().analyze(evidence_of(pixels))
    assert not finding.map.valid[:48, :96].any()
    assert finding.map.valid[96:].all()
    assert (finding.artifacts["quiet"].pixels[:48, :96] == 0).all()


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (shaded(47, 300, 4), "300x47 pixels"),
        (np.full((64, 64, 3), 255, np.uint8), "Flat, clipped"),
        (np.full((64, 64, 3), 90, np.uint8), "Flat, clipped"),
    ],
)
def test_what_cannot_be_analysed_is_declined_with_the_reason(pixels: np.ndarray, reason: str) -> None:
    finding = Noisesniffer().analyze(evidence_of(pixels))
    assert finding.status == "not_applicable"
    assert reason in finding.notes[0]


def test_wrong_options_are_refused() -> None:
    for options in ({"cell": 8}, {"cell": 600}, {"x": 1}):
        with pytest.raises(ValidationError):
            Noisesniffer.Options(**options)
