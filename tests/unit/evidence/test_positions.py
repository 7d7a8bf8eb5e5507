"""Positions of EXIF and XMP: signs of the hemispheres, forms of writing, sources."""

from __future__ import annotations

import pytest

from fixtures import synthetic as make
from imforensics.evidence import read_evidence
from imforensics.evidence.exif import read_exif
from imforensics.evidence.positions import read_xmp_position

TEN_AND_A_HALF = [(10, 1), (30, 1), (0, 1)]


def exif_of(north: make.Entry | None, east: make.Entry | None, *, degrees: object = TEN_AND_A_HALF) -> bytes:
    gps = [entry for entry in (north, east) if entry is not None]
    return make.make_exif(gps=[*gps, make.rational_entry(2, degrees), make.rational_entry(4, [(20, 1)])])


@pytest.mark.parametrize(
    ("north", "east", "signs"),
    [
        ("N", "E", (1, 1)),
        ("S", "E", (-1, 1)),
        ("N", "W", (1, -1)),
        ("s", "w", (-1, -1)),
        (" South", "West", (-1, -1)),
    ],
)
def test_hemispheres_of_exif(north: str, east: str, signs: tuple[int, int]) -> None:
    expected = (10.5 * signs[0], 20.0 * signs[1])
    assert read_exif(exif_of(make.ascii_entry(1, north), make.ascii_entry(3, east))).gps == expected
    as_bytes = [(tag, 1, text.strip()[:1].encode() + b"\x00", 2) for tag, text in ((1, north), (3, east))]
    assert read_exif(exif_of(*as_bytes)).gps == expected


def test_position_without_a_hemisphere_is_not_guessed() -> None:
    found = read_exif(exif_of(None, make.ascii_entry(3, "E")))
    assert found.gps is None
    assert found.problems == ["GPS: coordinates without a hemisphere (north or south, east or west)"]


def test_seconds_that_were_not_recorded() -> None:
    north, east = make.ascii_entry(1, "N"), make.ascii_entry(3, "E")
    assert read_exif(exif_of(north, east, degrees=[(10, 1), (30, 1), (0, 0)])).gps == (10.5, 20.0)


def test_no_reception_is_no_problem() -> None:
    found = read_exif(exif_of(None, None, degrees=[(0, 0), (0, 0), (0, 0)]))
    assert (found.gps, found.problems) == (None, [])


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("10,30.5N", "20,15.25W", (10.5083333, -20.2541667)),
        ("10,30,30S", "20,15,0E", (-10.5083333, 20.25)),
        ("-10.5", "20.25", (-10.5, 20.25)),
        ("0,0.0N", "0,0.0E", (0.0, 0.0)),
    ],
)
def test_forms_of_xmp(latitude: str, longitude: str, position: tuple[float, float]) -> None:
    problems: list[str] = []
    xmp = {"exif:GPSLatitude": latitude, "exif:GPSLongitude": longitude}
    assert read_xmp_position(xmp, problems) == position
    assert problems == []


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("north", "20,15W"), ("10,30N", "20,15N"), ("10,30", "20,15W"), ("95,0N", "20,0E"), ("1" * 5000, "1")],
)
def test_xmp_that_is_no_position(latitude: str, longitude: str) -> None:
    problems: list[str] = []
    assert read_xmp_position({"exif:GPSLatitude": latitude, "exif:GPSLongitude": longitude}, problems) is None
    assert [problem.startswith("GPS: ") for problem in problems] == [True]


def test_source_is_named_and_exif_comes_first() -> None:
    packet = make.make_xmp(
        "",
        attributes='xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        'exif:GPSLatitude="1,30.0N" exif:GPSLongitude="2,0.0W"',
    )
    metadata = read_evidence(make.add_xmp(make.make_jpeg(), packet)).metadata
    assert (metadata.gps, metadata.gps_source) == ((1.5, -2.0), "XMP")
    block = exif_of(make.ascii_entry(1, "N"), make.ascii_entry(3, "E"))
    metadata = read_evidence(make.add_xmp(make.make_jpeg(exif=block), packet)).metadata
    assert (metadata.gps, metadata.gps_source) == ((10.5, 20.0), "EXIF")
    assert read_evidence(make.make_jpeg()).metadata.gps_source is None
