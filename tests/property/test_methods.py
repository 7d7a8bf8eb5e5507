"""What a method sees does not depend on where the picture was cut, or on which side is left.

The bundled sample is cropped and mirrored in its quantized coefficients: nothing is decoded or saved again,
so that every trace of its history stays.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jpeglib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imforensics.evidence import read_evidence
from imforensics.methods import METHODS, load_method
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.types import Finding, FloatArray

SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "tampered.jpg"
CROP_BLOCKS = (2, 3)
LEAST_CORRELATION = 0.8  # of the two maps over what both show
NEAR = 0.03  # mean difference of two maps that say the same, though neither says much
# Windows of noise levels that a crop shifts, and a network that knows left from right.
LOOSELY = {"noisesniffer": 0.4, "gan_reconstruction": 0.5}

all_methods = pytest.mark.parametrize("name", list(METHODS))
# a search over the whole sample takes the dense one as long as all others together
all_methods_on_sample = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name == "copy_move_dense" else ()) for name in METHODS],
)


@cache
def finding_on_sample(name: str) -> Finding:
    return load_method(name)().analyze(read_evidence(SAMPLE))


def assert_same_map(name: str, found: FloatArray, expected: FloatArray) -> None:
    """Equal up to what the statistics of the whole image move."""
    assert found.shape == expected.shape
    if max(found.max(), expected.max()) < 0.5 and np.abs(found - expected).mean() < NEAR:
        return
    least = LOOSELY.get(name, LEAST_CORRELATION)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > least, name


@all_methods_on_sample
def test_cropping_whole_blocks_crops_the_map(name: str, tmp_path: Path) -> None:
    image = jpeglib.read_dct(str(SAMPLE))
    top, left = CROP_BLOCKS
    for channel in ("Y", "Cb", "Cr"):
        setattr(image, channel, np.ascontiguousarray(getattr(image, channel)[top:, left:]))
    image.height -= 8 * top
    image.width -= 8 * left
    image.write_dct(str(tmp_path / "cropped.jpg"))
    cropped = read_evidence(tmp_path / "cropped.jpg")
    np.testing.assert_array_equal(cropped.pixels, read_evidence(SAMPLE).pixels[8 * top :, 8 * left :])
    whole, part = finding_on_sample(name), load_method(name)().analyze(cropped)
    assert part.status == whole.status
    if whole.map is not None and part.map is not None:
        assert_same_map(name, part.map.values, whole.map.values[8 * top :, 8 * left :])


@all_methods_on_sample
def test_mirroring_mirrors_the_map(name: str, tmp_path: Path) -> None:
    image = jpeglib.read_dct(str(SAMPLE))
    for channel in ("Y", "Cb", "Cr"):
        mirrored = getattr(image, channel)[:, ::-1].copy()
        mirrored[..., 1::2] *= -1  # odd horizontal frequencies change their sign
        setattr(image, channel, mirrored)
    image.write_dct(str(tmp_path / "mirrored.jpg"))
    whole = finding_on_sample(name)
    part = load_method(name)().analyze(read_evidence(tmp_path / "mirrored.jpg"))
    assert part.status == whole.status
    if whole.map is not None and part.map is not None:
        assert_same_map(name, part.map.values[:, ::-1], whole.map.values)


@all_methods
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1), st.integers(1, 100), st.booleans())
def test_any_content_gives_a_finding_in_range(
    name: str, height: int, width: int, seed: int, quality: int, is_sparse: bool
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if is_sparse:
        pixels[rng.random((height, width)) < 0.95] = rng.integers(0, 256)
    evidence = read_evidence(encode_jpeg(pixels, quality=quality, subsampling="4:2:0"), name="made.jpg")
    finding = load_method(name)().analyze(evidence)
    assert finding.status in ("ok", "not_applicable")
    assert finding.score is None or 0 <= finding.score <= 1
    if finding.map is not None:
        assert finding.map.values.shape == (height, width)
        assert 0 <= finding.map.values.min() <= finding.map.values.max() <= 1
