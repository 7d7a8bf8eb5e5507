"""Double quantization as a method: marks the part without it, stays quiet where there is none."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from fixtures.dead_zone import save_with_dead_zone
from fixtures.textures import make_texture
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.double_quantization import DoubleQuantization
from imforensics.preprocessing.jpeg import decode_jpeg, encode_jpeg
from imforensics.types import Evidence

PIXELS = make_texture(260, 325)  # no multiple of 8


def spliced(*, first: int = 75) -> tuple[np.ndarray, np.ndarray]:
    """A host saved once with a part never compressed, and where that part is."""
    pixels = decode_jpeg(encode_jpeg(PIXELS, quality=first))
    mask = np.zeros(pixels.shape[:2], dtype=bool)
    mask[80:168, 104:216] = True
    pixels[mask] = PIXELS[mask]
    return pixels, mask


def evidence_of(pixels: np.ndarray, *qualities: int, **options: str) -> Evidence:
    """Saved at each quality in turn and read."""
    data = b""
    for quality in qualities:
        data = encode_jpeg(pixels, quality=quality, **options)  # type: ignore[arg-type]
        pixels = decode_jpeg(data)
    return read_evidence(data, name="made.jpg")


def test_a_part_without_the_first_quantization_is_marked() -> None:
    pixels, mask = spliced()
    finding = DoubleQuantization().analyze(evidence_of(pixels, 90))
    assert finding.map is not None
    assert finding.mask is not None
    assert (finding.mask & mask).sum() / (finding.mask | mask).sum() > 0.6
    assert finding.map.values[96:152, 120:200].min() > 0.8
    assert finding.map.values[:48].max() < 0.2
    assert finding.score is not None
    assert finding.score > 0.5
    assert finding.observations["first_table"] == "IJG quality 75"
    assert 0.8 < finding.observations["double_quantized_share"] < 0.95  # type: ignore[operator]


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_saved_twice_without_an_edit_is_no_alarm(subsampling: str) -> None:
    finding = DoubleQuantization().analyze(evidence_of(PIXELS, 75, 90, subsampling=subsampling))
    assert finding.observations["is_double_quantized"] is True
    assert finding.score is not None
    assert finding.score < 0.2
    assert finding.mask is not None
    assert finding.mask.mean() < 0.02


@pytest.mark.parametrize("quality", [60, 90, 97])
def test_saved_once_gives_a_map_of_zeros_and_says_so(quality: int) -> None:
    finding = DoubleQuantization().analyze(evidence_of(PIXELS, quality))
    assert finding.status == "ok"
    assert finding.score == 0
    assert finding.map is not None
    assert not finding.map.values.any()
    assert finding.mask is not None
    assert not finding.mask.any()
    assert "No earlier quantization" in finding.notes[0]
    assert finding.observations["is_double_quantized"] is False


@pytest.mark.parametrize("quality", [75, 90])
def test_an_encoder_that_rounds_to_zero_is_no_earlier_saving(quality: int) -> None:
    finding = DoubleQuantization().analyze(save_with_dead_zone(PIXELS[:256, :320], quality=quality))
    assert finding.observations["is_double_quantized"] is False
    assert finding.observations["is_encoder_rounding"] is True
    assert finding.score == 0
    assert finding.mask is not None
    assert not finding.mask.any()
    assert "single saving" in finding.notes[1]


def test_an_earlier_saving_shows_under_such_an_encoder() -> None:
    once = decode_jpeg(encode_jpeg(PIXELS[:256, :320], quality=70))
    finding = DoubleQuantization().analyze(save_with_dead_zone(once, quality=92))
    assert finding.observations["is_double_quantized"] is True
    assert finding.observations["first_table"] == "IJG quality 70"
    assert finding.observations["is_encoder_rounding"] is False


@pytest.mark.parametrize("quality", [75, 90])
def test_a_saving_by_jpegli_is_no_earlier_one(quality: int) -> None:
    pytest.importorskip("pyjpegli", reason="jpegli is not installed: pip install pyjpegli")
    pixels = make_texture(256, 320)
    data = import_module("pyjpegli").encode(pixels.tobytes(), 320, 256, quality)
    finding = DoubleQuantization().analyze(read_evidence(data, name="made.jpg"))
    assert finding.observations["is_double_quantized"] is False


def test_a_saving_of_the_whole_image_is_looked_under() -> None:
    pixels, mask = spliced(first=84)
    evidence = evidence_of(pixels, 75, 90)
    finding = DoubleQuantization().analyze(evidence)
    assert finding.observations["first_table"] == "IJG quality 75"
    earlier = finding.observations["earlier_first_divisors"]
    assert earlier[1][:3] == [4, 4, 4]  # type: ignore[index,call-overload]  # as in IJG quality 84
    assert finding.map is not None
    inside, outside = finding.map.values[96:152, 120:200], finding.map.values[~mask]
    assert inside.mean() > outside.mean() + 0.1
    plain = DoubleQuantization(DoubleQuantization.Options(undo=False)).analyze(evidence)
    assert plain.map is not None
    assert plain.map.values[96:152, 120:200].mean() < 0.1


def test_the_map_moves_with_a_crop_on_the_grid_and_with_a_flip() -> None:
    pixels, _ = spliced()
    whole = DoubleQuantization().analyze(evidence_of(pixels[:256, :320], 90))
    cropped = DoubleQuantization().analyze(evidence_of(pixels[16:256, 24:320], 90))
    flipped = DoubleQuantization().analyze(evidence_of(pixels[:256, :320][:, ::-1], 90))
    assert whole.map is not None
    assert cropped.map is not None
    assert flipped.map is not None
    assert np.abs(whole.map.values[16:, 24:] - cropped.map.values).mean() < 0.05
    assert np.abs(whole.map.values - flipped.map.values[:, ::-1]).mean() < 0.05


def test_saturated_areas_are_not_valid() -> None:
    pixels, _ = spliced()
    pixels[:, 230:] = 255
    finding = DoubleQuantization().analyze(evidence_of(pixels, 90))
    assert finding.map is not None
    assert finding.map.valid is not None
    assert not finding.map.valid[:, 300:].any()
    assert finding.map.valid[:, :200].all()


def test_too_small_flat_and_subsampled_luma_are_declined() -> None:
    method = DoubleQuantization()
    small = method.analyze(evidence_of(PIXELS[:24, :100], 90))
    assert small.status == "not_applicable"
    assert "100x24" in small.notes[0]
    flat = method.analyze(evidence_of(np.full((64, 64, 3), 128, np.uint8), 90))
    assert flat.status == "not_applicable"
    whole = evidence_of(PIXELS, 90)
    assert whole.jpeg is not None
    half = replace(whole.jpeg, coefficient_reader=lambda: (np.zeros((17, 21, 8, 8), np.int16),))
    assert "subsampled" in method.analyze(replace(whole, jpeg=half)).notes[0]


def test_an_unknown_first_table_is_given_by_its_divisors() -> None:
    table = (6 + 4 * (np.indices((8, 8)).sum(axis=0) % 3)).astype(np.uint16)
    once = decode_jpeg(encode_jpeg(PIXELS, tables=[table]))
    finding = DoubleQuantization().analyze(evidence_of(once, 97))
    assert finding.observations["first_table"] is None
    divisors = np.array(finding.observations["first_divisors"])
    assert divisors.shape == (8, 8)
    assert (divisors == table)[divisors > 0].mean() > 0.7


def test_not_a_jpeg_is_an_error() -> None:
    evidence = replace(evidence_of(PIXELS, 90), jpeg=None)
    with pytest.raises(ValueError, match="needs a JPEG"):
        DoubleQuantization().analyze(evidence)
