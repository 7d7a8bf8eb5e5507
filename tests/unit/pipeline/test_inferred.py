"""Methods on a picture that is no JPEG but was decoded from one: as on the JPEG itself."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.fixtures.textures import make_texture

from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.pipeline.analyze import run_method
from imforensics.pipeline.inferred import INFERRED_REASON
from imforensics.types import OUTSIDE_KEY, Evidence, UInt8Array

HEIGHT, WIDTH = 192, 256


def save(pixels: UInt8Array, file_format: str, **settings: object) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, file_format, **settings)  # type: ignore[arg-type]
    return read_evidence(buffer.getvalue(), name="made")


@pytest.fixture(scope="module")
def jpeg() -> Evidence:
    """Saved at 75, a part replaced, saved at 90."""
    first = save(make_texture(HEIGHT, WIDTH), "JPEG", quality=75).pixels.copy()
    first[64:128, 64:128] = make_texture(HEIGHT, WIDTH, seed=5)[3:67, 5:69]
    return save(first, "JPEG", quality=90)


@pytest.mark.parametrize("name", ["double_quantization", "dct_histograms", "jpeg_ghost"])
def test_a_png_gives_the_map_of_the_jpeg(jpeg: Evidence, name: str) -> None:
    method = load_method(name)()
    expected, found = run_method(method, jpeg), run_method(method, save(jpeg.pixels, "PNG"))
    assert expected.map is not None
    assert found.map is not None
    assert found.map.values.shape == (HEIGHT, WIDTH)
    assert np.abs(found.map.values - expected.map.values).mean() < 0.02
    assert found.observations["is_inferred_jpeg"] is True
    assert INFERRED_REASON in found.observations[OUTSIDE_KEY]  # type: ignore[operator]
    assert found.opinion is None
    assert found.notes[-1].startswith("Read from the pixels: the picture was a JPEG")


def test_maps_of_a_cropped_picture_are_in_its_coordinates(jpeg: Evidence) -> None:
    method = load_method("double_quantization")()
    whole = run_method(method, jpeg)
    cut = run_method(method, save(jpeg.pixels[3:, 5:], "PNG"))
    assert whole.map is not None
    assert cut.map is not None
    assert cut.mask is not None
    assert cut.mask.shape == cut.map.values.shape == (HEIGHT - 3, WIDTH - 5)
    difference = np.abs(cut.map.values[5:, 3:] - whole.map.values[8:, 8:])
    assert difference.mean() < 0.05


def test_without_a_jpeg_history_the_method_says_so() -> None:
    finding = run_method(load_method("dct_histograms")(), save(make_texture(96, 96), "PNG"))
    assert finding.status == "not_applicable"
    assert finding.notes == ("needs a JPEG; this is PNG, and its pixels show none before it",)


def test_methods_of_the_file_are_not_shown_it(jpeg: Evidence) -> None:
    finding = run_method(load_method("jpeg_structure")(), save(jpeg.pixels, "PNG"))
    assert finding.status == "not_applicable"
    assert finding.notes == ("needs a JPEG; this is PNG",)


def test_evidence_made_without_a_reader_has_no_history(jpeg: Evidence) -> None:
    assert replace(jpeg, history_reader=None).inferred_jpeg is None
