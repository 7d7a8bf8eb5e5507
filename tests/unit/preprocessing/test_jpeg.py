"""JPEG in memory: settings arrive in the file, pixels come back, wrong input is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imforensics.errors import EvidenceError, EvidenceTooLargeError
from imforensics.evidence.quantization import ijg_tables
from imforensics.preprocessing.jpeg import decode_jpeg, decode_own_jpeg, encode_jpeg, resave_jpeg

# Zigzag order of the 64 coefficients, ITU-T T.81 figure A.6: position of each natural-order index.
ZIGZAG = np.array(
    sorted(range(64), key=lambda n: (n // 8 + n % 8, (n // 8, n % 8)[(n // 8 + n % 8 + 1) % 2]))
)


def photo(height: int = 40, width: int = 56, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    base = 128 + 60 * np.sin(rows / 5)[..., None] + np.stack([columns, -columns, columns * 0], -1)
    return np.clip(base + rng.normal(0, 5, (height, width, 3)), 0, 255).astype(np.uint8)


def read_tables(data: bytes) -> list[np.ndarray]:
    """The DQT segments of a file, read by hand, in natural order."""
    tables, position = {}, 2
    while data[position + 1] != 0xDA:
        length = int.from_bytes(data[position + 2 : position + 4])
        if data[position + 1] == 0xDB:
            body = data[position + 4 : position + 2 + length]
            for start in range(0, len(body), 65):
                natural = np.empty(64, np.uint16)
                natural[ZIGZAG] = list(body[start + 1 : start + 65])
                tables[body[start]] = natural.reshape(8, 8)
        position += 2 + length
    return [tables[key] for key in sorted(tables)]


def sampling_factors(data: bytes) -> list[int]:
    start = next(data.find(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in data)
    return [data[start + 11 + 3 * component] for component in range(data[start + 9])]


def test_zigzag_of_the_tests_starts_as_in_the_standard() -> None:
    assert ZIGZAG[:10].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]


def test_tables_are_written_in_natural_order() -> None:
    luma = np.arange(1, 65, dtype=np.uint16).reshape(8, 8)
    chroma = (np.arange(64, dtype=np.uint16) * 3 + 2).reshape(8, 8)
    written = read_tables(encode_jpeg(photo(), tables=(luma, chroma)))
    np.testing.assert_array_equal(written[0], luma)
    np.testing.assert_array_equal(written[1], chroma)


def test_three_tables_and_a_single_one() -> None:
    tables = [np.full((8, 8), divisor, np.uint16) for divisor in (2, 3, 4)]
    assert [int(table[0, 0]) for table in read_tables(encode_jpeg(photo(), tables=tables))] == [2, 3, 4]
    assert [int(table[0, 0]) for table in read_tables(encode_jpeg(photo(), tables=tables[:1]))] == [2]


@pytest.mark.parametrize("quality", [1, 50, 75, 90, 100])
def test_quality_is_the_same_as_its_ijg_tables(quality: int) -> None:
    by_quality = encode_jpeg(photo(), quality=quality)
    for written, expected in zip(read_tables(by_quality), ijg_tables(quality), strict=True):
        np.testing.assert_array_equal(written, expected)
    by_tables = decode_jpeg(encode_jpeg(photo(), tables=ijg_tables(quality)))
    np.testing.assert_array_equal(decode_jpeg(by_quality), by_tables)


@pytest.mark.parametrize(("subsampling", "luma_factor"), [("4:4:4", 0x11), ("4:2:2", 0x21), ("4:2:0", 0x22)])
@pytest.mark.parametrize("progressive", [False, True])
def test_subsampling_and_scan_order(subsampling: str, luma_factor: int, progressive: bool) -> None:
    data = encode_jpeg(photo(), quality=90, subsampling=subsampling, progressive=progressive)
    assert sampling_factors(data) == [luma_factor, 0x11, 0x11]
    assert (bytes([0xFF, 0xC2]) in data) is progressive


@pytest.mark.parametrize("settings", [{"quality": 80}, {"tables": ijg_tables(80)}])
def test_gray_has_one_component_and_decodes_to_three_equal_channels(settings: dict) -> None:
    gray = photo()[..., 0]
    assert sampling_factors(encode_jpeg(gray, **settings)) == [0x11]
    resaved = decode_jpeg(encode_jpeg(gray, **settings))
    assert resaved.shape == (*gray.shape, 3)
    assert (resaved == resaved[..., :1]).all()
    assert abs(resaved[..., 0].astype(int) - gray).mean() < 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (33, 1), (9, 15)])
def test_any_size_comes_back(shape: tuple[int, int]) -> None:
    pixels = photo(*shape)
    before = pixels.copy()
    assert resave_jpeg(pixels, quality=95).shape == pixels.shape
    np.testing.assert_array_equal(pixels, before)


def test_read_only_and_strided_pixels_are_encoded_as_their_copy() -> None:
    pixels = photo()
    pixels.setflags(write=False)
    mirrored = pixels[:, ::-1]
    assert encode_jpeg(mirrored, quality=90) == encode_jpeg(mirrored.copy(), quality=90)


def test_own_file_beyond_the_limit_of_pillow_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert decode_own_jpeg(encode_jpeg(photo(), quality=90)).size == (56, 40)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one of quality and tables"),
        ({"quality": 90, "tables": ijg_tables(90)}, "exactly one of quality and tables"),
        ({"quality": 0}, "1 to 100; received 0"),
        ({"quality": 101}, "received 101"),
        ({"quality": 90.0}, "integer"),
        ({"quality": True}, "integer"),
        ({"quality": 90, "subsampling": "4:1:1"}, "received '4:1:1'"),
        ({"tables": []}, "1 to 3 quantization tables; received 0"),
        ({"tables": [np.ones((8, 8), np.uint16)] * 4}, "received 4"),
        ({"tables": [np.ones(64, np.uint16)]}, r"\(8, 8\) integers"),
        ({"tables": [np.ones((8, 8))]}, "float64"),
        ({"tables": [np.zeros((8, 8), np.uint16)]}, "1 to 255"),
        ({"tables": [np.full((8, 8), 256, np.uint16)]}, "16-bit tables are not written"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_jpeg(photo(), **settings)


@pytest.mark.parametrize("shape", [(0, 5, 3), (4, 4, 4), (4,), (2, 4, 4, 3)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Expected pixels of shape"):
        encode_jpeg(np.zeros(shape, np.uint8), quality=90)


def test_float_pixels_are_refused() -> None:
    with pytest.raises(TypeError, match="received float64"):
        encode_jpeg(photo() / 255, quality=90)


@pytest.mark.parametrize("damage", ["empty", "png", "truncated"])
def test_damaged_data_is_an_evidence_error(damage: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo()).save(buffer, "PNG")
    whole = encode_jpeg(photo(200, 200), quality=90)
    data = {"empty": b"", "png": buffer.getvalue(), "truncated": whole[: len(whole) // 2]}[damage]
    with pytest.raises(EvidenceError, match="Expected the bytes of a JPEG file"):
        decode_jpeg(data)


def test_too_many_pixels_are_refused_before_decoding() -> None:
    with pytest.raises(EvidenceTooLargeError, match=r"2240 pixels \(56 x 40\), more than max_pixels = 2000"):
        decode_jpeg(encode_jpeg(photo(), quality=90), max_pixels=2000)
