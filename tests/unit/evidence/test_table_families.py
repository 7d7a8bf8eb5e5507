"""Known quantization tables: the list agrees with published digests, and files are matched to it."""

from __future__ import annotations

import csv
import hashlib
from importlib.resources import files

import numpy as np
import pytest
from PIL.JpegPresets import presets

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.encoder_formulas import ffmpeg_table, jpegli_tables
from imforensics.evidence.quantization import (
    ZIGZAG_TO_NATURAL,
    find_base_percent,
    find_ijg_quality,
    ijg_tables,
    scale_base,
)
from imforensics.evidence.table_families import (
    MAX_CANDIDATES,
    identify_services,
    identify_tables,
    list_known_tables,
)
from imforensics.types import Metadata

# MD5 of the quantization segment (slot 0 with the luminance, slot 1 with the chrominance table, in the order
# of the file), as ExifTool lists them (JPEGDigest.pm 1.06) for Photoshop CS2, Lightroom 2.1 and Save for Web.
PUBLISHED = {
    ("photoshop_save_as", "level 0 (both sets)"): "683506a889c78d9bc230a0c7ee5f62f3",
    ("photoshop_save_as", "level 1 (both sets)"): "bc490651af6592cd1dbbbc4fa2cfa1fb",
    ("photoshop_save_as", "level 2 (both sets)"): "ce4286d9f07999524c3c7472b065c5ab",
    ("photoshop_save_as", "level 3 (older set)"): "cbfbfef12aead8841585ef605c789b9f",
    ("photoshop_save_as", "level 5 (older set)"): "7ef06dbde538346b8b01c6b538ca70c6",
    ("photoshop_save_as", "level 6 (older set)"): "0ff225f58a214f79d1d85d78f6f5dab8",
    ("photoshop_save_as", "level 7 (older set)"): "8a8603650fa5ae5fdcf4b2eaf0b23638",
    ("photoshop_save_as", "level 8 (older set)"): "44f583ed6b65cb8ba915ec5df051616c",
    ("photoshop_save_as", "level 9 (older set)"): "de94c5591bafc7456ccaef430271b907",
    ("photoshop_save_as", "level 10 (older set)"): "a6841b35e9ffefa5d83a0445dddd2621",
    ("photoshop_save_as", "level 12 (older set)"): "5379e0133d4439b6f7c7039fc7f7734f",
    ("photoshop_save_as", "level 3 (newer set)"): "8453391d3adf377c46a1a0cee08c35c3",
    ("photoshop_save_as", "level 4 (newer set)"): "f8ede291b1272576d1580e333d30103e",
    ("photoshop_save_as", "level 5 (newer set)"): "de0fb6d13e12e8df26140dd74691bf0f",
    ("photoshop_save_as", "level 6 (newer set)"): "0d5b0af72561f68c671731f22d9e41e2",
    ("photoshop_save_as", "level 7 (newer set)"): "b9fd15fd52408af5ea2a5045227233d8",
    ("photoshop_save_as", "level 8 (newer set)"): "27472e3714251402d5509438505611c3",
    ("photoshop_save_as", "level 9 (newer set)"): "34a599dff2b6aaed12143938b7374f2f",
    ("photoshop_save_as", "level 10 (newer set)"): "5c508e529d045b6f0c800e29ba2d6ab5",
    ("photoshop_save_as", "level 11 (newer set)"): "42bfe52476bf07f1ed0e6451903cc9ee",
    ("photoshop_save_as", "level 12 (newer set)"): "4c3c425b4024b68c0de03904a825bc35",
    ("photoshop_save_for_web", "quality 10"): "301158b292e3232856a765486da26fa6",
    ("photoshop_save_for_web", "quality 30"): "45148ae63b12ccaa6fb5a487ca7620e9",
    ("photoshop_save_for_web", "quality 60"): "6123a3685e1012af5a0d024de1ce0304",
    ("photoshop_save_for_web", "quality 80"): "51879d6e5178d2282d5e8276ed4e2439",
    ("photoshop_save_for_web", "quality 100"): "234d8f310d75effc9f77beb1d3847f49",
}


def digests(luma: list[int], chroma: list[int]) -> set[str]:
    """With both tables in one segment, and with each in its own, as ExifTool joins them."""
    first, second = (
        bytes([slot, *(table[at] for at in ZIGZAG_TO_NATURAL)]) for slot, table in enumerate((luma, chroma))
    )
    return {hashlib.md5(first + gap + second).hexdigest() for gap in (b"", b"\x00")}  # noqa: S324


def rows() -> list[dict[str, str]]:
    text = files("imforensics.evidence").joinpath("table_families.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_the_digest_is_computed_as_published() -> None:
    luma, chroma = (table.ravel().tolist() for table in ijg_tables(90))
    assert "50325a7b6e0a9b7f9aea8f5a6f7f31aa" in digests(luma, chroma)  # listed as IJG, quality 90


def test_every_photoshop_table_has_the_published_digest() -> None:
    listed = {
        (row["family"], row["setting"]): (
            [int(v) for v in row["luma"].split()],
            [int(v) for v in row["chroma"].split()],
        )
        for row in rows()
        if row["family"] not in {"camera", "apple"}
    }
    assert listed.keys() == PUBLISHED.keys()
    assert [key for key, tables in listed.items() if PUBLISHED[key] not in digests(*tables)] == []


def test_every_row_is_complete_and_no_table_stands_twice() -> None:
    seen = set()
    for row in rows():
        luma, chroma = (tuple(int(value) for value in row[name].split()) for name in ("luma", "chroma"))
        assert len(luma) == len(chroma) == 64
        assert min(*luma, *chroma) >= 1
        assert row["setting"]
        assert row["source"]
        seen.add((luma, chroma))
        tables = [np.array(values, dtype=np.uint16).reshape(8, 8) for values in (luma, chroma)]
        assert row["setting"] in [candidate.setting for candidate in identify_tables(tables)]
    assert len(seen) == len(rows())


@pytest.mark.parametrize("quality", [1, 35, 50, 75, 90, 100])
def test_ijg_tables_are_found_at_their_quality(quality: int) -> None:
    luma, chroma = ijg_tables(quality)
    first = identify_tables((luma, chroma, chroma))[0]
    assert (first.family, first.setting) == ("ijg", f"quality {quality}")
    assert find_ijg_quality(luma, is_luma=True) == quality
    assert find_ijg_quality(chroma, is_luma=True) in {None, 1, 100}


def test_separate_qualities_and_other_percentages() -> None:
    luma, chroma = ijg_tables(90)[0], ijg_tables(70)[1]
    first = identify_tables((luma, chroma, chroma))[0]
    assert (first.family, first.setting) == ("ijg_separate", "90 for luminance, 70 for chrominance")
    base = [table.astype(int) for table in ijg_tables(50)]
    odd = [np.clip((table * 27 + 50) // 100, 1, 255).astype(np.uint16) for table in base]
    assert identify_tables(odd)[0].setting == "luminance by 27 %, chrominance by 27 %"
    cut = np.clip(base[0] * 27 // 100, 1, 255).astype(np.uint16)
    assert find_base_percent(cut, is_luma=True) == 27


@pytest.mark.parametrize(
    ("preset", "expected"),
    [("high", "level 8 (older set)"), ("web_high", "quality 60"), ("low", "level 3 (older set)")],
)
def test_a_file_with_photoshop_tables(preset: str, expected: str) -> None:
    content = make.encode(make.make_photo_like(32, 32), "JPEG", qtables=presets[preset]["quantization"])
    jpeg = read_evidence(content).jpeg
    assert jpeg is not None
    assert [candidate.setting for candidate in identify_tables(jpeg.quantization_tables)] == [expected]


def test_one_changed_divisor_is_no_match() -> None:
    luma, chroma = (table.copy() for table in ijg_tables(90))
    luma[3, 3] += 1
    assert identify_tables((luma, chroma)) == ()
    assert identify_tables(()) == ()


def test_gray_and_colliding_tables() -> None:
    assert identify_tables((ijg_tables(85)[0],))[0].setting == "quality 85"
    ones = np.ones((8, 8), np.uint16)
    assert len(identify_tables((ones, ones))) <= MAX_CANDIDATES
    assert (
        identify_tables((ones, ones, 2 * ones)) == ()
    )  # two chrominance tables: none of the listed encoders


def test_services_by_size_quality_and_missing_metadata() -> None:
    bare = Metadata()
    assert [c.setting for c in identify_services((1200, 1600), 80, bare)] == ["WhatsApp"]
    assert [c.setting for c in identify_services((2048, 1365), 85, bare)] == ["Facebook"]
    assert [c.setting for c in identify_services((4096, 4096), 85, bare)] == ["Twitter"]
    assert [c.setting for c in identify_services((1920, 2560), 87, bare)] == ["Telegram"]
    assert identify_services((1920, 2560), 88, bare) == ()
    assert identify_services((4096, 4096), 95, bare) == ()
    assert identify_services((1200, 1601), 80, bare) == ()
    assert identify_services((1200, 1600), None, bare) == ()
    assert identify_services((1200, 1600), 80, Metadata(exif={"Image Make": "Maker"})) == ()
    marked = Metadata(iptc={"Special Instructions": "FBMD01000a"}, exif={"Image Make": "Maker"})
    assert [c.setting for c in identify_services((10, 10), None, marked)] == ["Facebook or Instagram"]


@pytest.mark.parametrize("scale", [1, 2, 5, 13, 31])
def test_the_tables_of_ffmpeg(scale: int) -> None:
    """-q:v 2 writes 8 4 4 5 6 6 7 8 as its first row."""
    table = ffmpeg_table(scale)
    assert ffmpeg_table(2)[0].tolist() == [8, 4, 4, 5, 6, 6, 7, 8]
    found = identify_tables((table, table, table))
    assert [(c.family, c.setting) for c in found] == [("ffmpeg", f"quantizer scale {scale}")]


@pytest.mark.parametrize("quality", [10, 50, 75, 90])
def test_the_tables_of_mozjpeg(quality: int) -> None:
    """Its default at quality 50 begins 16 16 16 18 25 37 56 85, the same for chrominance."""
    rows = [r for r in bases() if r["encoder"] == "mozjpeg"]
    assert any(r["values"].startswith("16 16 16 18 25 37 56 85 ") for r in rows)
    for luma, chroma in zip(rows[::2], rows[1::2], strict=True):
        tables = [
            scale_base(np.array(row["values"].split(), dtype=np.int64), quality).reshape(8, 8)
            for row in (luma, chroma)
        ]
        found = [c for c in identify_tables((tables[0], tables[1], tables[1])) if c.family == "mozjpeg"]
        assert len(found) == 1
        assert luma["set"] in found[0].setting
        assert str(quality) in found[0].setting


# First row and last divisor of luminance and chrominance as pyjpegli 0.3.2 writes them, 4:2:0, and the
# distance that its quality stands for: 0.1 + (100 - quality) * 0.09.
JPEGLI = {
    50: ([12, 10, 20, 21, 33, 34, 37, 38], 43, [12, 8, 17, 16, 26, 24, 29, 31], 255, 4.6),
    90: ([3, 4, 6, 6, 7, 7, 8, 8], 9, [3, 3, 5, 5, 6, 5, 6, 7], 82, 1.0),
}


@pytest.mark.parametrize("quality", JPEGLI)
def test_the_tables_of_jpegli(quality: int) -> None:
    luma_row, luma_last, chroma_row, chroma_last, distance = JPEGLI[quality]
    luma, chroma = jpegli_tables(distance, is_420=True)
    assert luma[0].tolist() == luma_row
    assert chroma[0].tolist() == chroma_row
    assert (luma[7, 7], chroma[7, 7]) == (luma_last, chroma_last)


@pytest.mark.parametrize("distance", [0.5, 1.0, 1.9, 4.6, 9.0])
@pytest.mark.parametrize("is_420", [True, False])
@pytest.mark.parametrize("two_chroma", [True, False])
def test_the_distance_of_jpegli_is_found(distance: float, is_420: bool, two_chroma: bool) -> None:
    tables = jpegli_tables(distance, is_420=is_420, two_chroma=two_chroma)
    tables = tables if two_chroma else (*tables, tables[1])
    found = [c for c in identify_tables(tables) if c.family == "jpegli"]
    assert len(found) == 1
    assert float(found[0].setting.split()[1]) == pytest.approx(distance, rel=0.03)
    assert ("4:2:0" in found[0].setting) is is_420
    changed = tables[0].copy()
    changed[3, 3] += 2
    assert identify_tables((changed, *tables[1:])) == ()


def test_formulas_do_not_claim_tables_of_the_ijg_encoder_or_of_lists() -> None:
    for quality in range(1, 101):
        assert {c.family for c in identify_tables(ijg_tables(quality))} <= {"ijg", "ijg_separate"}
    for known in list_known_tables():
        families = {c.family for c in identify_tables(known.tables)}
        assert not families & {"mozjpeg", "jpegli", "ffmpeg"}, known.setting


def test_every_base_table_has_a_source() -> None:
    assert {row["encoder"] for row in bases()} == {"mozjpeg", "jpegli", "ffmpeg"}
    for row in bases():
        assert len(row["values"].split()) == 64
        assert row["source"]


def bases() -> list[dict[str, str]]:
    text = files("imforensics.evidence").joinpath("encoder_bases.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_a_table_with_zeros_is_nobodys() -> None:
    """Zeros are no divisors, but a damaged file can hold them; a warning would fail this test."""
    table = np.zeros((8, 8), np.uint16)
    assert identify_tables((table, table)) == ()
