"""CFA: finds the lattice of a made mosaic, the part that lacks it, and nothing where there is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.methods.camera.cfa import ColourFilterArray
from imforensics.methods.camera.cfa_lattice import lattice_evidence
from imforensics.types import OUTSIDE_KEY, Finding


def scene(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Noise on a slope: what a sensor without a colour filter would give, (height, width) float."""
    rng = np.random.default_rng(seed)
    return np.linspace(70, 170, width)[None, :] + rng.normal(0, 6, (height, width))


def demosaic(plane: np.ndarray, *, even: bool = True) -> np.ndarray:
    """Green measured where row + column is even (or odd), interpolated bilinearly elsewhere; (H, W) uint8."""
    rows, columns = np.indices(plane.shape)
    acquired = (rows + columns) % 2 == (0 if even else 1)
    padded = np.pad(plane, 1, mode="reflect")
    mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
    return np.clip(np.where(acquired, plane, mean).round(), 0, 255).astype(np.uint8)


def analyze(green: np.ndarray) -> Finding:
    buffer = io.BytesIO()
    Image.fromarray(np.repeat(green[..., None], 3, axis=2)).save(buffer, "PNG")
    return ColourFilterArray().analyze(read_evidence(buffer.getvalue(), name="made.png"))


def test_the_lattice_is_found_and_tells_which_pixels_were_measured() -> None:
    for even, sign in ((True, 1), (False, -1)):
        lattice, _ = lattice_evidence(demosaic(scene(96, 128), even=even), block=8)
        assert lattice.shape == (12, 16)
        assert (sign * lattice).min() > 0.3
    lattice, _ = lattice_evidence(scene(96, 128).round().astype(np.uint8), block=8)
    assert abs(np.median(lattice)) < 0.05


@pytest.mark.parametrize("kind", ["without", "other lattice"])
def test_a_part_without_the_traces_is_marked(kind: str) -> None:
    green = demosaic(scene(256, 320))
    part = scene(96, 112, seed=1)
    pasted = part.round().astype(np.uint8) if kind == "without" else demosaic(part, even=False)
    green[80:176, 96:208] = pasted
    finding = analyze(green)
    assert finding.observations["has_cfa_traces"] is True
    assert finding.observations["acquired_green"] == "row + column even"
    assert finding.map.values[112:144, 128:176].min() > 0.9
    assert finding.map.values[:48].max() < 0.1
    assert finding.score > 0.9


def test_an_untouched_mosaic_is_not_marked() -> None:
    finding = analyze(demosaic(scene(256, 320)))
    assert finding.score < 0.1
    assert finding.map.values.max() < 0.5


def test_without_traces_nothing_is_said() -> None:
    finding = analyze(scene(256, 320).round().astype(np.uint8))
    assert finding.observations["has_cfa_traces"] is False
    assert finding.score == 0
    assert not finding.map.values.any()
    assert OUTSIDE_KEY in finding.observations


def test_a_flat_image_is_declined() -> None:
    finding = analyze(np.full((128, 128), 90, dtype=np.uint8))
    assert finding.status == "not_applicable"
    assert "64 are needed" in finding.notes[0]


def test_strips_do_not_show() -> None:
    green = demosaic(scene(600, 64))
    whole, levels = lattice_evidence(green, block=8)
    part, part_levels = lattice_evidence(green[208:408], block=8)
    np.testing.assert_allclose(part[1:-1], whole[27:50], atol=1e-4)
    np.testing.assert_allclose(part_levels[1:-1], levels[27:50], atol=1e-4)


def test_an_odd_block_is_refused() -> None:
    with pytest.raises(ValueError, match="even block"):
        lattice_evidence(np.zeros((16, 16), np.uint8), block=7)
