"""The marker walk, the tables and the coefficients, against Pillow and against a slow inverse DCT."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fixtures import synthetic as make
from imforensics.errors import EvidenceError
from imforensics.evidence import read_evidence
from imforensics.evidence.jpeg_structure import Component, describe_subsampling, walk_jpeg
from imforensics.evidence.quantization import ZIGZAG_TO_NATURAL, estimate_quality, ijg_tables
from imforensics.types import JpegInfo


def read_jpeg(content: bytes) -> JpegInfo:
    info = read_evidence(content).jpeg
    assert info is not None
    return info


def test_zigzag_is_a_permutation_along_antidiagonals() -> None:
    assert sorted(ZIGZAG_TO_NATURAL) == list(range(64))
    sums = [index // 8 + index % 8 for index in ZIGZAG_TO_NATURAL]
    assert sums == sorted(sums)


@pytest.mark.parametrize("quality", [1, 2, 25, 49, 50, 51, 75, 90, 95, 100])
def test_ijg_tables_are_those_that_libjpeg_writes(quality: int) -> None:
    info = read_jpeg(make.make_jpeg(quality=quality))
    luma, chroma = ijg_tables(quality)
    assert np.array_equal(info.quantization_tables[0], luma)
    assert np.array_equal(info.quantization_tables[1], chroma)
    assert info.quantization_tables[0].dtype == np.uint16
    assert info.estimated_quality == quality
    assert info.is_standard_tables


@given(quality=st.integers(1, 100))
@settings(max_examples=100, deadline=None)
def test_quality_of_ijg_tables_is_found_again(quality: int) -> None:
    assert estimate_quality(ijg_tables(quality)) == (quality, True)
    assert estimate_quality(ijg_tables(quality)[:1]) == (quality, True)


def test_near_and_far_tables() -> None:
    luma, chroma = ijg_tables(80)
    near = luma.copy()
    near[0, 0] += 2
    assert estimate_quality([near, chroma]) == (80, False)
    assert estimate_quality([np.full((8, 8), 255, np.uint16), np.full((8, 8), 1, np.uint16)]) == (None, False)
    assert estimate_quality([np.zeros((8, 8), np.uint16)]) == (None, False)
    assert estimate_quality([]) == (None, False)
    with pytest.raises(ValueError, match="1 to 100"):
        ijg_tables(0)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"subsampling": "4:4:4"}, "4:4:4"),
        ({"subsampling": "4:2:2"}, "4:2:2"),
        ({"subsampling": "4:2:0"}, "4:2:0"),
    ],
)
def test_subsampling_and_progressive(options: dict[str, object], expected: str) -> None:
    info = read_jpeg(make.make_jpeg(**options))
    assert (info.subsampling, info.is_progressive) == (expected, False)
    assert read_jpeg(make.make_jpeg(progressive=True)).is_progressive


def test_other_subsamplings_are_named() -> None:
    def name(*factors: tuple[int, int]) -> str:
        return describe_subsampling(tuple(Component(n, h, v, 0) for n, (h, v) in enumerate(factors)))

    assert name((1, 1)) == "gray"
    assert name((1, 2), (1, 1), (1, 1)) == "4:4:0"
    assert name((4, 1), (1, 1), (1, 1)) == "4:1:1"
    assert name((2, 2), (1, 2), (1, 1)) == "2x2,1x2,1x1"
    assert name((2, 2), (1, 1), (1, 1), (2, 2)) == "4:2:0"
    assert name((1, 1), (2, 2), (2, 2)) == "1x1,2x2,2x2"


def test_markers_in_order_with_known_identifiers() -> None:
    exif = make.make_exif([make.ascii_entry(0x010F, "Make")])
    content = make.insert_after_soi(
        make.make_jpeg(exif=exif, comment=b"hello"),
        make.make_jpeg_segment(0xED, b"Photoshop 3.0\x008BIM"),
        make.make_jpeg_segment(0xEA, b"unknown"),
    )
    markers = read_jpeg(content).markers
    assert markers[:3] == ("SOI", "APP13 Photoshop", "APP10")
    assert {"APP0 JFIF", "APP1 Exif", "COM", "DQT", "SOF0", "DHT", "SOS"} <= set(markers)
    assert markers[-1] == "EOI"


def test_trailing_bytes_are_counted() -> None:
    assert read_jpeg(make.make_jpeg()).trailing_bytes == 0
    assert read_jpeg(make.make_jpeg() + b"x" * 77).trailing_bytes == 77


def test_16_bit_tables_are_read_and_noted() -> None:
    content = make.make_jpeg(quality=50)
    start = content.index(b"\xff\xdb")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    slot, entries = content[start + 4], content[start + 5 : start + 2 + length]
    assert len(entries) == 64
    wide = bytes([slot | 0x10]) + b"".join(bytes([0, value]) for value in entries)
    changed = content[:start] + make.make_jpeg_segment(0xDB, wide) + content[start + 2 + length :]
    evidence = read_evidence(changed)
    assert evidence.jpeg is not None
    assert np.array_equal(evidence.jpeg.quantization_tables[0], ijg_tables(50)[0])
    assert any("16 bits an entry" in note for note in evidence.notes)


def test_many_markers_are_bounded() -> None:
    segments = [make.make_jpeg_segment(0xFE, b"x")] * 3000
    markers = read_jpeg(make.insert_after_soi(make.make_jpeg(), *segments)).markers
    assert len(markers) == 1001
    assert markers[-1].endswith("more)")


@given(rest=st.binary(max_size=600))
@settings(max_examples=200, deadline=None)
def test_walk_never_raises(rest: bytes) -> None:
    layout = walk_jpeg(b"\xff\xd8\xff" + rest)
    assert layout.markers[0] == "SOI"
    assert layout.end is not None or layout.problems


def _inverse_dct(blocks: np.ndarray) -> np.ndarray:
    """T.81, A.3.3, as a matrix product."""
    k, n = np.mgrid[0:8, 0:8]
    basis = np.cos((2 * n + 1) * k * np.pi / 16) * np.where(k == 0, np.sqrt(0.125), 0.5)
    return np.einsum("ku,rckl,lv->rcuv", basis, blocks, basis)


@pytest.mark.parametrize("size", [(64, 96), (61, 83), (1, 1)])
@pytest.mark.parametrize("is_progressive", [False, True])
def test_coefficients_dequantized_give_the_decoded_luminance(
    size: tuple[int, int], is_progressive: bool
) -> None:
    content = make.make_jpeg(*size, quality=85, progressive=is_progressive)
    info = read_jpeg(content)
    coefficients = info.read_coefficients()
    blocks_down, blocks_across = -(-size[0] // 8), -(-size[1] // 8)
    assert coefficients[0].shape == (blocks_down, blocks_across, 8, 8)
    assert coefficients[0].dtype == np.int16
    assert coefficients[1].shape[:2] == (-(-size[0] // 16), -(-size[1] // 16))
    spatial = _inverse_dct(coefficients[0] * info.quantization_tables[0].astype(float)) + 128
    luminance = spatial.transpose(0, 2, 1, 3).reshape(blocks_down * 8, blocks_across * 8)[
        : size[0], : size[1]
    ]
    image = Image.open(io.BytesIO(content))
    image.draft("L", image.size)
    decoded = np.asarray(image)
    assert decoded.shape == size
    assert np.abs(np.clip(luminance, 0, 255) - decoded).max() <= 1.0


def test_coefficients_of_gray_and_cmyk() -> None:
    gray = make.encode(make.make_photo_like(20, 20)[:, :, 0], "JPEG")
    assert [c.shape for c in read_jpeg(gray).read_coefficients()] == [(3, 3, 8, 8)]
    cmyk = make.encode(make.make_photo_like(20, 20), "JPEG", mode="CMYK")
    assert len(read_jpeg(cmyk).read_coefficients()) == 4


def test_coefficients_ignore_application_segments() -> None:
    content = make.make_jpeg()
    loud = make.insert_after_soi(content, *[make.make_jpeg_segment(0xE7, b"x" * 40)] * 200)
    for plain, with_segments in zip(
        read_jpeg(content).read_coefficients(), read_jpeg(loud).read_coefficients(), strict=True
    ):
        assert np.array_equal(plain, with_segments)


def test_undecodable_coefficients_are_an_evidence_error(capfd: pytest.CaptureFixture[str]) -> None:
    from imforensics.evidence.coefficients import read_coefficients

    with pytest.raises(EvidenceError, match="cannot be decoded"):
        read_coefficients(b"\xff\xd8\xff\xd9", size=(8, 8), factors=[(1, 1)])
    with pytest.raises(EvidenceError, match="1 to 4 components"):
        read_coefficients(b"", size=(8, 8), factors=[])
    assert capfd.readouterr().out == ""
