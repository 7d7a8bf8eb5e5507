"""read_evidence: hashes, formats, refusals; whatever comes in, nothing but EvidenceError goes out."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fixtures import synthetic as make
from imforensics import config
from imforensics.errors import EvidenceError, EvidenceTooLargeError, UnsupportedImageError
from imforensics.evidence import DEFAULT_MAX_PIXELS, read_evidence
from imforensics.evidence import reading as reading_module

PHOTO = make.make_photo_like(50, 70, seed=1)


def test_default_limit_is_the_one_of_the_configuration() -> None:
    assert config.DEFAULT_MAX_PIXELS == DEFAULT_MAX_PIXELS


def test_from_path_gives_hashes_name_and_untouched_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    content = make.encode(PHOTO, "JPEG", quality=90)
    path.write_bytes(content)
    evidence = read_evidence(path)
    assert (evidence.name, evidence.path, evidence.size_bytes) == ("photo.jpg", path, len(content))
    assert evidence.sha256 == hashlib.sha256(content).hexdigest()
    assert evidence.pixel_sha256 == hashlib.sha256(evidence.pixels.tobytes()).hexdigest()
    assert evidence.pixels.shape == (50, 70, 3)
    assert evidence.pixels.dtype == np.uint8
    assert not evidence.pixels.flags.writeable
    assert evidence.notes == ()
    assert path.read_bytes() == content


def test_from_bytes_has_no_path_and_a_dash_for_a_name() -> None:
    evidence = read_evidence(make.encode(PHOTO, "PNG"))
    assert (evidence.name, evidence.path, evidence.has_matching_extension) == ("-", None, True)
    assert read_evidence(make.encode(PHOTO, "PNG"), name="a.jpg").has_matching_extension is False


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "BMP"])
def test_lossless_formats_give_the_very_pixels(format_name: str) -> None:
    evidence = read_evidence(make.encode(PHOTO, format_name))
    assert evidence.format == format_name
    assert np.array_equal(evidence.pixels, PHOTO)
    assert evidence.jpeg is None


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("WEBP", {"lossless": True}), ("HEIF", {"quality": 95}), ("AVIF", {"quality": 95}), ("GIF", {})],
)
def test_other_formats_are_recognized_and_near(format_name: str, options: dict[str, object]) -> None:
    evidence = read_evidence(make.encode(PHOTO, format_name, **options))
    assert evidence.format == format_name
    assert evidence.pixels.shape == PHOTO.shape
    assert np.abs(evidence.pixels.astype(int) - PHOTO).mean() < (0.01 if format_name == "WEBP" else 12)


def test_evidence_can_go_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(read_evidence(make.make_jpeg())))  # noqa: S301
    assert again.jpeg.read_coefficients()[0].shape == (8, 12, 8, 8)


def test_missing_empty_folder_and_text_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello, this is text")
    for name, words in {
        "none.jpg": "does not exist",
        "empty.jpg": "is empty",
        "text.jpg": "is not an image of a known format: it starts with the bytes 68 65 6c",
        ".": "is a folder",
    }.items():
        with pytest.raises(EvidenceError, match=words):
            read_evidence(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(EvidenceError, match="pipe or device"):
        read_evidence(tmp_path / "pipe.jpg")


def test_names_are_escaped_in_messages() -> None:
    with pytest.raises(EvidenceError) as caught:
        read_evidence(b"no image", name="a\n\x1b[31m\udcff.jpg")
    assert str(caught.value).isprintable()


def test_file_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "MAX_FILE_BYTES", 100)
    (tmp_path / "big.bmp").write_bytes(make.encode(PHOTO, "BMP"))
    with pytest.raises(EvidenceError, match="more than the 100 that are read"):
        read_evidence(tmp_path / "big.bmp")


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "HEIF", "AVIF"])
def test_max_pixels_is_exact_and_named(format_name: str) -> None:
    content = make.encode(PHOTO, format_name)
    assert read_evidence(content, max_pixels=50 * 70).width == 70
    with pytest.raises(EvidenceTooLargeError, match="70 x 50 pixels is over the limit of max_pixels = 3499"):
        read_evidence(content, max_pixels=50 * 70 - 1)


def test_max_pixels_may_exceed_pillows_own_limit_and_leaves_it_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    content = make.encode(np.zeros((100, 100, 3), np.uint8), "PNG")
    try:
        Image.MAX_IMAGE_PIXELS = 1000
        assert read_evidence(content).height == 100
        assert Image.MAX_IMAGE_PIXELS == 1000
    finally:
        Image.MAX_IMAGE_PIXELS = before
    with pytest.raises(ValueError, match="at least 1"):
        read_evidence(content, max_pixels=0)


def test_bombs_are_refused_before_decoding() -> None:
    header = make.make_png_header(60000, 60000) + make.make_png_chunk(b"IEND", b"")
    with pytest.raises(EvidenceTooLargeError, match="60000 x 60000"):
        read_evidence(header)
    jpeg = make.make_jpeg()
    at = jpeg.index(b"\xff\xc0")
    with pytest.raises(EvidenceTooLargeError, match="65535 x 65535"):
        read_evidence(jpeg[: at + 5] + b"\xff" * 4 + jpeg[at + 9 :])


def test_scan_bomb_is_refused() -> None:
    jpeg = make.make_jpeg(progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    with pytest.raises(EvidenceError, match="scans, more than the 256"):
        read_evidence(jpeg[:-2] + last * 300 + b"\xff\xd9")


def test_exif_segments_are_limited() -> None:
    segment = make.make_jpeg_segment(0xE1, make.make_exif([make.ascii_entry(0x010F, "Make")]))
    with pytest.raises(EvidenceError, match="65 EXIF segments"):
        read_evidence(make.insert_after_soi(make.make_jpeg(), *[segment] * 65))


@pytest.mark.parametrize("format_name", ["PNG", "TIFF", "WEBP", "BMP", "GIF", "HEIF", "AVIF"])
@pytest.mark.parametrize("tenth", [1, 5, 9])
def test_truncated_files_are_refused(format_name: str, tenth: int) -> None:
    content = make.encode(PHOTO, format_name)
    with pytest.raises(EvidenceError, match="complete copy") as caught:
        read_evidence(content[: len(content) * tenth // 10])
    assert not isinstance(caught.value, UnsupportedImageError)


def test_12_bit_and_lossless_jpegs_are_named() -> None:
    jpeg = make.make_jpeg()
    at = jpeg.index(b"\xff\xc0")
    for changed, words in ((jpeg[: at + 4] + b"\x0c" + jpeg[at + 5 :], "12 bits"), (b"", "SOF3")):
        content = changed or jpeg[: at + 1] + b"\xc3" + jpeg[at + 2 :]
        with pytest.raises(EvidenceError, match=words):
            read_evidence(content)


def test_frames_are_counted_and_the_first_is_taken() -> None:
    frames = [Image.fromarray(np.roll(PHOTO, step, axis=1)) for step in range(3)]
    for name in ("PNG", "TIFF", "MPO"):
        stream = io.BytesIO()
        frames[0].save(stream, name, save_all=True, append_images=frames[1:])
        evidence = read_evidence(stream.getvalue())
        assert evidence.frame_count == 3
        assert "3 frames: only the first is analyzed" in evidence.notes
        assert np.abs(evidence.pixels.astype(int) - PHOTO).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_read_and_never_applied(format_name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format_name, {})
    evidence = read_evidence(make.encode(PHOTO, format_name, exif=exif, **options))
    assert evidence.orientation == orientation
    assert evidence.pixels.shape == PHOTO.shape
    assert np.abs(evidence.pixels.astype(int) - PHOTO).max() <= (12 if format_name == "JPEG" else 0)


def test_compressed_tiff_with_orientation_is_as_stored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    evidence = read_evidence(make.encode(PHOTO, "TIFF", exif=exif, compression="tiff_lzw"))
    assert np.array_equal(evidence.pixels, PHOTO)


def test_heif_says_that_its_decoder_turned_the_pixels() -> None:
    import pillow_heif

    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PHOTO)).save(stream, exif=exif.tobytes())
    evidence = read_evidence(stream.getvalue())
    assert evidence.pixels.shape == (70, 50, 3)  # turned by 90 degrees
    assert evidence.orientation == 1
    assert any("rotation properties" in note and "orientation 6" in note for note in evidence.notes)


def test_heif_without_rotation_properties_is_not_called_turned() -> None:
    """An orientation in EXIF alone turns nothing: viewers of HEIF go by the properties."""
    block = make.make_exif([make.short_entry(0x0112, 1)])
    content = make.encode(PHOTO, "HEIF", exif=block)
    entry = struct.pack("<HHIH", 0x0112, 3, 1, 1)
    assert content.count(entry) == 1
    evidence = read_evidence(content.replace(entry, struct.pack("<HHIH", 0x0112, 3, 1, 6)))
    assert evidence.metadata.exif["Image Orientation"] == "Rotated 90 CW"
    assert evidence.pixels.shape == PHOTO.shape
    assert evidence.orientation == 1
    assert not any("rotation" in note for note in evidence.notes)
    assert any("EXIF orientation: 6, while" in problem for problem in evidence.metadata.problems)
    assert evidence.metadata.unread == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_orientation_is_that_of_its_properties(orientation: int) -> None:
    """Pillow turns EXIF's orientation into rotation properties when it saves, and does not apply them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    evidence = read_evidence(make.encode(PHOTO, "AVIF", exif=exif, quality=95))
    assert evidence.orientation == orientation
    assert evidence.pixels.shape == PHOTO.shape
    assert evidence.metadata.exif == {}  # the file holds no EXIF block, and none is made up


def test_zero_length_segments_are_stepped_over_as_decoders_do() -> None:
    evidence = read_evidence(make.insert_after_soi(make.make_jpeg(), b"\xff\xe5\x00\x00"))
    assert evidence.jpeg is not None
    assert any("declares 0 bytes" in note for note in evidence.notes)


MAGICS = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"II*\x00",
    b"MM\x00*",
    b"RIFF\x10\x00\x00\x00WEBP",
    b"BM",
    b"GIF89a",
]
MAGICS += [b"\x00\x00\x00\x18ftypheic", b"\x00\x00\x00\x18ftypavif"]
JPEG = make.make_jpeg(
    24,
    32,
    exif=make.make_exif(
        [make.ascii_entry(0x010F, "Make")], gps=[make.ascii_entry(1, "N")], thumbnail=make.make_jpeg(16, 16)
    ),
)


@settings(max_examples=150, deadline=None)
@given(magic=st.sampled_from([b"", *MAGICS]), rest=st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_evidence_errors(magic: bytes, rest: bytes) -> None:
    try:
        read_evidence(magic + rest, max_pixels=1_000_000)
    except EvidenceError as error:
        assert str(error)  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(2, len(JPEG) - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_mutated_jpegs_raise_nothing_but_evidence_errors(edits: list[tuple[int, int]]) -> None:
    damaged = bytearray(JPEG)
    for position, value in edits:
        damaged[position] = value
    try:
        evidence = read_evidence(bytes(damaged), max_pixels=1_000_000)
        if evidence.jpeg is not None:
            evidence.jpeg.read_coefficients()
    except EvidenceError as error:
        assert str(error)  # noqa: PT017


def test_a_large_text_chunk_of_a_png_is_read() -> None:
    """Pillow refuses the file at a megabyte, which the hexadecimal digits of a profile may exceed."""
    exif = make.make_exif([make.short_entry(0x0112, 3)])
    digits = exif.hex() + "00" * 2_000_000
    profile = b"Raw profile type exif\x00\x00" + zlib.compress(
        f"\nexif\n{len(digits) // 2}\n{digits}".encode()
    )
    evidence = read_evidence(
        make.insert_after_ihdr(make.encode(PHOTO, "PNG"), make.make_png_chunk(b"zTXt", profile))
    )
    np.testing.assert_array_equal(evidence.pixels, PHOTO)
    assert evidence.orientation == 3


def test_a_text_bomb_of_a_png_costs_its_text_alone() -> None:
    chunk = make.make_png_chunk(b"zTXt", b"bomb\x00\x00" + zlib.compress(bytes(50_000_000)))
    evidence = read_evidence(make.insert_after_ihdr(make.encode(PHOTO, "PNG"), chunk))
    np.testing.assert_array_equal(evidence.pixels, PHOTO)
    assert any("unpacks to more bytes than are read" in problem for problem in evidence.metadata.problems)


@pytest.mark.parametrize("start", [b"\xff\xd8", b"\x89PNG\r\n"])
def test_a_file_of_its_first_bytes_is_called_cut_short(start: bytes) -> None:
    with pytest.raises(EvidenceError, match=rf"ends after {len(start)} bytes, the first of a (JPEG|PNG)"):
        read_evidence(start)


def test_webp_header_that_lies_is_refused() -> None:
    content = bytearray(make.encode(PHOTO, "WEBP"))
    content[4:8] = struct.pack("<I", 12)
    with pytest.raises(EvidenceError):
        read_evidence(bytes(content))
