"""MPF pictures, motion photos, gain maps and vendor blocks, at the places that the file gives for them."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.announced import MAX_ANNOUNCED, find_announced, is_offset_in_exif
from imforensics.evidence.jpeg_structure import walk_jpeg
from imforensics.evidence.trailing import describe_trailing

SECOND = make.make_jpeg(8, 8)
VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(range(1, 200))


def trailing_of(content: bytes) -> tuple[str, ...]:
    return read_evidence(content).metadata.trailing


def make_mpf(entries: list[tuple[int, int, int]], order: str) -> bytes:
    """An APP2 MPF segment of pictures (attribute, size, offset)."""
    listed = b"".join(struct.pack(order + "IIIHH", *entry, 0, 0) for entry in entries)
    head = {"<": b"II*\x00", ">": b"MM\x00*"}[order] + struct.pack(order + "IH", 8, 1)
    directory = struct.pack(order + "HHIII", 0xB002, 7, len(listed), 26, 0)
    return make.make_jpeg_segment(0xE2, b"MPF\x00" + head + directory + listed)


def with_mpf(
    *, order: str, gap: bytes = b"", attribute: int = 0, second: bytes = SECOND, shift: int = 0
) -> bytes:
    """A JPEG with a second picture `gap` after its end, announced `shift` bytes off."""

    def build(offset: int) -> bytes:
        entries = [(0x20030000, 1, 0), (attribute, len(second), offset)]
        return make.insert_after_soi(make.make_jpeg(16, 16), make_mpf(entries, order))

    first = build(0)
    header = first.index(b"MPF\x00") + 4
    return build((len(first) + len(gap) - header + shift) & 0xFFFFFFFF) + gap + second


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("gap", "before"),
    [
        (b"", ()),
        (b"\x00", ("fill bytes (zeros) (1 bytes)",)),
        (bytes(512), ("fill bytes (zeros) (512 bytes)",)),
        (b"\xff" * 700, ("fill bytes (0xFF) (700 bytes)",)),
        (b"\x12\x34\x56", ("fill bytes (not cleared, up to the part that follows) (3 bytes)",)),
    ],
)
def test_mpf_pictures_are_found_where_they_are_announced(
    order: str, gap: bytes, before: tuple[str, ...]
) -> None:
    assert trailing_of(with_mpf(order=order, gap=gap)) == (
        *before,
        f"second picture (MPF) ({len(SECOND)} bytes)",
    )


@pytest.mark.parametrize(
    ("attribute", "words"),
    [(0x80010002, ", a preview"), (0x00020002, ", of a stereo pair"), (0x00050000, ", a gain map")],
)
def test_mpf_says_what_a_picture_is(attribute: int, words: str) -> None:
    assert trailing_of(with_mpf(order=">", attribute=attribute)) == (
        f"second picture (MPF){words} ({len(SECOND)} bytes)",
    )


def test_what_pillow_writes_as_mpo() -> None:
    stream = io.BytesIO()
    frames = [Image.fromarray(make.make_photo_like(16, 16, seed)) for seed in range(3)]
    frames[0].save(stream, "MPO", save_all=True, append_images=frames[1:])
    names = [part.rsplit(" (", 1)[0] for part in trailing_of(stream.getvalue())]
    assert names == ["second picture (MPF)", "third picture (MPF)"]


@pytest.mark.parametrize("shift", [-(10**9), -200, 10**6, 2**31])
def test_mpf_offsets_that_lie_are_not_believed(shift: int) -> None:
    assert trailing_of(with_mpf(order="<", shift=shift))[0].startswith("a smaller JPEG image")


def test_other_data_in_the_place_of_an_mpf_picture_are_not_called_one() -> None:
    content = with_mpf(order="<", second=b"PK\x03\x04 a hidden archive")
    assert trailing_of(content) == ("data in the place of the second picture (MPF) (21 bytes)",)


def test_a_gain_map_is_told_by_its_own_mark() -> None:
    gain_map = make.add_xmp(SECOND, make.make_xmp('<a hdrgm:Version="1.0" xmlns:hdrgm="x"/>'))
    assert trailing_of(with_mpf(order="<", second=gain_map))[0].startswith(
        "second picture (MPF), a gain map ("
    )
    assert trailing_of(make.make_jpeg(16, 16) + gain_map)[0].startswith("a JPEG image, a gain map (")


def test_micro_video_counts_from_the_end() -> None:
    packet = make.make_xmp("", attributes=f'xmlns:GCamera="g" GCamera:MicroVideoOffset="{len(VIDEO)}"')
    content = make.add_xmp(make.make_jpeg(16, 16), packet) + bytes(20) + VIDEO
    assert trailing_of(content) == (
        "fill bytes (zeros) (20 bytes)",
        f"the video of a motion photo ({len(VIDEO)} bytes)",
    )


def test_a_video_that_nothing_announces_behind_fill() -> None:
    assert trailing_of(make.make_jpeg(16, 16) + bytes(20) + VIDEO) == (
        "fill bytes (zeros) (20 bytes)",
        f"a video or image in an ISO media container ({len(VIDEO)} bytes)",
    )


def make_directory(*items: tuple[str, int, int]) -> bytes:
    listed = "".join(
        f'<rdf:li rdf:parseType="Resource"><Container:Item Item:Mime="x/y" Item:Semantic="{semantic}" '
        f'Item:Length="{length}" Item:Padding="{padding}"/></rdf:li>'
        for semantic, length, padding in items
    )
    return make.make_xmp(listed, attributes='xmlns:Container="c" xmlns:Item="i"')


@pytest.mark.parametrize("end", [b"", b"\x00\x00\x00\x01closing\x00\x00SEFT"])
def test_a_directory_of_items_in_xmp(end: bytes) -> None:
    packet = make_directory(("Primary", 0, 16), ("GainMap", len(SECOND), 0), ("MotionPhoto", len(VIDEO), 0))
    content = make.add_xmp(make.make_jpeg(16, 16), packet) + bytes(16) + SECOND + VIDEO
    names = [part.rsplit(" (", 1)[0] for part in trailing_of(content)]
    assert names == ["fill bytes (zeros)", "gain map", "the video of a motion photo"]


def test_items_that_are_not_there_are_not_believed() -> None:
    packet = make_directory(("Primary", 0, 0), ("MotionPhoto", 50, 0))
    content = make.add_xmp(make.make_jpeg(16, 16), packet) + b"PK\x03\x04" + bytes(range(1, 47))
    assert trailing_of(content) == ("a ZIP archive (50 bytes)",)


def make_samsung(blocks: dict[bytes, bytes]) -> bytes:
    data, entries = b"", b""
    whole = [struct.pack("<HHI", 0, 0x0A30, len(name)) + name + content for name, content in blocks.items()]
    total = sum(len(block) for block in whole)
    for block in whole:
        entries += struct.pack("<HHII", 0, 0x0A30, total - len(data), len(block))
        data += block
    directory = b"SEFH" + struct.pack("<II", 107, len(whole)) + entries
    return data + directory + struct.pack("<I", len(directory)) + b"SEFT"


def test_samsungs_trailer_with_its_directory() -> None:
    trailer = make_samsung({b"Image_UTC_Data": b"1500000000000", b"MotionPhoto_Data": VIDEO})
    words = f"vendor data (Samsung trailer: Image_UTC_Data, MotionPhoto_Data) ({len(trailer)} bytes)"
    assert trailing_of(make.make_jpeg(16, 16) + trailer) == (words,)
    assert trailing_of(make.make_jpeg(16, 16) + bytes(99) + trailer) == (
        "fill bytes (zeros) (99 bytes)",
        words,
    )


def make_oneplus() -> bytes:
    listed = json.dumps([{"offset": 40, "name": "a", "length": 40}]).encode()
    return bytes(range(1, 41)) + listed + b"jxrs" + struct.pack("<I", len(listed) + 8)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (make_oneplus(), "OnePlus and OPPO phones"),
        (b"streamdata" + SECOND + b"\xff" * 4 + b"\x1b*9HWfu\x84\x93\xa2\xb1", "Vivo phones"),
        (
            b"\x05" * 30 + struct.pack("<I", 70) + bytes(4) + b"8db42d694ccc418790edff439fe026bf",
            "Insta360 cameras",
        ),
        (b"\x05" * 30 + struct.pack(">I", 50) + bytes(6) + b"/NIKON APP", "Nikon's editing programs"),
        (b"\x05" * 30 + struct.pack(">I", 30) + b"cbipcbbl", "Photo Mechanic"),
        (b"\x05" * 30 + b"\x00\x02" + struct.pack(">I", 40) + b"\xa1\xb2\xc3\xd4", "FotoStation captions"),
        (
            b"CANON OPTIONAL DATA\x00"
            + b"\x05" * 20
            + b"CANON OPTIONAL DATA\x00"
            + struct.pack(">I", 12)
            + b"\x05" * 40,
            "Canon's raw converter",
        ),
    ],
)
def test_blocks_that_close_a_file(block: bytes, words: str) -> None:
    jpeg = make.make_jpeg(16, 16)
    expected = f"vendor data ({words}) ({len(block)} bytes)"
    assert trailing_of(jpeg + block) == (expected,)
    assert trailing_of(jpeg + SECOND + block)[1:] == (expected,)


@pytest.mark.parametrize("mark", [b"SEFT", b"\x00\x00QDIOBS", b"\xa1\xb2\xc3\xd4"])
def test_a_closing_mark_hides_no_archive(mark: bytes) -> None:
    parts = trailing_of(make.make_jpeg(16, 16) + b"PK\x03\x04 a hidden archive" + mark)
    assert parts[0].startswith("a ZIP archive (")


def test_two_blocks_behind_one_another() -> None:
    captions = b"\x05" * 30 + struct.pack(">I", 30) + b"cbipcbbl"
    names = trailing_of(make.make_jpeg(16, 16) + make_samsung({b"A_B": b"x"}) + captions)
    assert [name.split(")")[0] for name in names] == [
        "vendor data (Samsung trailer: A_B",
        "vendor data (Photo Mechanic",
    ]


@given(
    block=st.binary(max_size=200),
    mark=st.sampled_from([b"SEFT", b"jxrs\x20\x00\x00\x00", b"cbipcbbl", b"AXS!12345678"]),
)
@settings(max_examples=100, deadline=None)
def test_hostile_ends_are_bounded_and_cover_all(block: bytes, mark: bytes) -> None:
    jpeg = make.make_jpeg(16, 16)
    content = jpeg + block + mark
    parts = find_announced(content, walk_jpeg(content), len(jpeg))
    assert all(len(jpeg) <= part.start < part.stop <= len(content) for part in parts)
    assert describe_trailing(content, format_name="JPEG", layout=walk_jpeg(content))


@given(payload=st.binary(max_size=120), order=st.sampled_from([b"II*\x00", b"MM\x00*", b""]))
@settings(max_examples=100, deadline=None)
def test_hostile_indexes_never_raise(payload: bytes, order: bytes) -> None:
    content = make.insert_after_soi(
        make.make_jpeg(16, 16), make.make_jpeg_segment(0xE2, b"MPF\x00" + order + payload)
    )
    end = len(content)
    parts = find_announced(content + bytes(500), walk_jpeg(content), end)
    assert len(parts) <= MAX_ANNOUNCED
    assert all(end <= part.start < part.stop <= end + 500 for part in parts)


def test_an_offset_is_looked_for_in_exif_only() -> None:
    content = make.make_jpeg(16, 16) + np.arange(10, dtype=np.uint32).tobytes()
    assert not is_offset_in_exif(content, walk_jpeg(content), 5)
    assert not is_offset_in_exif(content, None, 5)
