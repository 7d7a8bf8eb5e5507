"""Text in EXIF beyond plain ASCII: character codes, UTF-8, UTF-16 of both orders, text stored as bytes."""

from __future__ import annotations

import struct

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.exif import read_exif
from imforensics.evidence.exif_text import decode_coded_text, decode_utf8_or_16

PROMPT = "a cat on a bench\nNegative prompt: blur\nSteps: 28, Sampler: Euler a, Seed: 1"
TEXTS = [
    PROMPT,
    "\u4e00\u53ea\u732b " + PROMPT,
    "\u4e00\u53ea\u732b\u5750\u5728\u957f\u6905\u4e0a\u3002",  # Chinese alone
    "\u30d9\u30f3\u30c1\u306e\u4e0a\u306e\u732b",  # Japanese
    "\ubca4\uce58 \uc704\uc758 \uace0\uc591\uc774",  # Korean
    "\u041a\u043e\u0448\u043a\u0430 \u043d\u0430 \u0441\u043a\u0430\u043c\u0435\u0439\u043a\u0435",  # Russian
    "\u0642\u0637\u0629 \u0639\u0644\u0649 \u0645\u0642\u0639\u062f",  # Arabic
    "caf\u00e9 \u00fcber \u20ac 5 \U0001f408",  # accents, a currency sign, a picture character
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_unicode_comments_in_every_form_and_script(text: str, encoding: str, order: str) -> None:
    value = b"UNICODE\x00" + text.encode(encoding)
    assert decode_coded_text(value, order) == text  # type: ignore[arg-type]
    assert decode_coded_text(value + bytes(6), order) == text  # type: ignore[arg-type]


def test_byte_order_of_the_block_decides_a_tie() -> None:
    value = "\u0102\u0201".encode("utf-16-be")
    assert decode_utf8_or_16(value, "big") == "\u0102\u0201"
    assert decode_utf8_or_16(value, "little") == "\u0201\u0102"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"ASCII\x00\x00\x00made by me", "made by me"),
        (b"ASCII   made by me  ", "made by me"),
        (b"ascii\x00\x00\x00" + "ünï".encode(), "ünï"),
        (b"ASCII\x00\x00\x00caf\xe9", "caf\\xe9"),
        (bytes(8) + b"undefined code", "undefined code"),
        (bytes(8) + "wide".encode("utf-16-le"), "wide"),
        (b"no code at all", "no code at all"),
        ("no code, wide".encode("utf-16-be"), "no code, wide"),
        (b"JIS\x00\x00\x00\x00\x00" + "\u732b\u3068\u72ac".encode("iso2022_jp"), "\u732b\u3068\u72ac"),
        (b"JIS\x00\x00\x00\x00\x00" + "\u732b\u3068\u72ac".encode("shift_jis"), "\u732b\u3068\u72ac"),
        (b"ASCII\x00\x00\x00", ""),
        (b"", ""),
    ],
)
def test_character_codes(value: bytes, text: str) -> None:
    assert decode_coded_text(value, "little") == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_comment_and_description_of_a_block(encoding: str) -> None:
    value = b"UNICODE\x00" + PROMPT.encode(encoding)
    description = "K\u00e4tzchen \u732b".encode() + b"\x00"
    block = make.make_exif(
        [(0x010E, 2, description, len(description))], exif=[(0x9286, 7, value, len(value))]
    )
    tags = read_exif(block).tags
    assert tags["EXIF UserComment"] == PROMPT
    assert tags["Image ImageDescription"] == "K\u00e4tzchen \u732b"


def test_short_comment_within_its_entry() -> None:
    assert read_exif(make.make_exif(exif=[(0x9286, 2, b"abc\x00", 4)])).tags["EXIF UserComment"] == "abc"


@pytest.mark.parametrize("kind", [1, 7, 129])
def test_text_stored_as_bytes_is_text(kind: int) -> None:
    def entry(tag: int, text: str) -> make.Entry:
        value = text.encode()
        return tag, kind, value, len(value)

    found = read_exif(
        make.make_exif(
            [
                entry(0x010F, "ACMEPHONE"),
                entry(0x0110, "Model \u00dc"),
                entry(0x0131, "Adobe Photoshop 25.0\x00"),
            ],
            exif=[
                entry(0x9003, "2020:01:01 10:00:00"),
                entry(0xA434, "Lens"),
                (0x9101, 7, b"\x01\x02\x03\x00", 4),
            ],
        )
    )
    assert found.tags["Image Make"] == "ACMEPHONE"
    assert found.tags["Image Model"] == "Model \u00dc"
    assert found.tags["Image Software"] == "Adobe Photoshop 25.0"
    assert found.tags["EXIF DateTimeOriginal"] == "2020:01:01 10:00:00"
    assert found.tags["EXIF LensModel"] == "Lens"
    assert found.tags["EXIF ComponentsConfiguration"] == "YCbCr"
    assert found.problems == []


def test_bytes_that_are_no_text_stay_numbers() -> None:
    tags = read_exif(make.make_exif([(0x010F, 7, b"\x01\x02\xff\xfe\x03", 5)])).tags
    assert tags["Image Make"] == "[1, 2, 255, 254, 3]"


def test_software_tags_of_exif_3_have_names() -> None:
    block = make.make_exif(exif=[make.ascii_entry(0xA43B, "Editor 1"), make.ascii_entry(0xA437, "Me")])
    tags = read_exif(block).tags
    assert tags["EXIF ImageEditingSoftware"] == "Editor 1"
    assert tags["EXIF Photographer"] == "Me"


@pytest.mark.parametrize("length", [5, 3000])
def test_windows_titles_are_utf_16(length: int) -> None:
    value = ("\u732b" * length).encode("utf-16-le") + b"\x00\x00"
    tags = read_exif(make.make_exif([(0x9C9B, 1, value, len(value))])).tags
    assert tags["Image XPTitle"].startswith("\u732b" * 5)


def test_bigtiff_gives_its_text_and_says_that_more_is_there() -> None:
    entry = struct.pack("<HHQ", 0x010F, 2, 5) + b"ACME\x00\x00\x00\x00"
    found = read_exif(b"II+\x00\x08\x00\x00\x00" + struct.pack("<QQ", 16, 1) + entry + bytes(8))
    assert found.tags == {"Image Make": "ACME"}
    assert found.problems[0].startswith("EXIF: of a BigTIFF")


def test_text_is_read_where_exifread_gives_up() -> None:
    """A sub-directory pointer without a value ends exifread's reading with an IndexError."""
    block = make.make_exif([make.ascii_entry(0x010F, "ACME"), (0x8769, 4, b"", 0)])
    found = read_exif(block)
    assert found.tags["Image Make"] == "ACME"
    assert any(problem.startswith("EXIF:") for problem in found.problems)


def test_a_block_without_entries_is_there() -> None:
    assert read_exif(b"II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00").problems == [
        "EXIF: the block has no entries"
    ]


def test_signed_pointers_are_followed() -> None:
    block = make.make_exif(exif=[make.ascii_entry(0xA437, "Me")])
    signed = block.replace(struct.pack("<HH", 0x8769, 4), struct.pack("<HH", 0x8769, 9))
    assert read_exif(signed).tags["EXIF Photographer"] == "Me"
    assert read_exif(signed).problems == []


def test_text_that_is_not_utf8_is_read_and_not_called_unread() -> None:
    block = make.make_exif([(0x010E, 2, b"Photoshop\xa8 4\x00", 13)])
    metadata = read_evidence(make.make_jpeg(exif=block)).metadata
    assert metadata.exif["Image ImageDescription"] == "Photoshop\\xa8 4"
    assert metadata.unread == ()
    assert [problem.startswith("EXIF text: ") for problem in metadata.problems] == [True]


def test_overlapping_texts_cost_a_bounded_part() -> None:
    entries = b"".join(struct.pack("<HHII", tag, 129, 10_000_000, 0) for tag in range(500))
    block = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 500) + entries + b"a" * 1_000_000
    assert any("bytes of text, read in part" in problem for problem in read_exif(block).problems)
