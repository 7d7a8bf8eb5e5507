"""Dates, clocks, time zones and places."""

from __future__ import annotations

from datetime import timedelta

import pytest

from imforensics.methods.metadata_dates import (
    find_date_traces,
    find_position_traces,
    parse_date,
    parse_offset,
)
from imforensics.types import Metadata


def position_traces(
    taken: str,
    *,
    clock: str = "[8, 0, 0]",
    day: str = "2020:01:01",
    offset: str = "",
    gps: float | None = None,
) -> set[str]:
    exif = {"GPS GPSDate": day, "GPS GPSTimeStamp": clock} | (
        {"EXIF OffsetTimeOriginal": offset} if offset else {}
    )
    metadata = Metadata(
        exif=exif, dates={"EXIF DateTimeOriginal": taken}, gps=None if gps is None else (0.0, gps)
    )
    return {trace.name for trace in find_position_traces(metadata)}


def test_clock_time_zone_and_satellites_agree() -> None:
    assert position_traces("2020:01:01 10:00:30", offset="+02:00", gps=30.0) == set()
    assert position_traces("2020:01:01 10:00:30", gps=30.0) == set()
    assert position_traces("2020:01:01 13:30:30", clock="[8, 0, 61/2]", gps=77.0) == set()  # India, UTC+5:30


def test_clock_off_the_declared_zone() -> None:
    assert position_traces("2020:01:01 10:30:00", offset="+02:00") == {"clock_unlike_satellite"}


def test_clock_off_every_zone() -> None:
    assert position_traces("2020:01:01 10:07:30") == {"clock_unlike_satellite"}
    assert position_traces("2020:01:03 10:00:00") == {"clock_unlike_satellite"}


def test_zone_of_another_place() -> None:
    assert position_traces("2020:01:01 10:00:00", offset="+02:00", gps=-75.0) == {
        "time_zone_unlike_longitude"
    }
    assert position_traces("2020:01:01 20:00:00", gps=-179.0) == set()  # the date line: UTC+12 at 179 west


@pytest.mark.parametrize("clock", ["[1/0, 0, 0]", "[99999, 0, 0]", "nonsense", "", "[1, 2]"])
@pytest.mark.parametrize("day", ["2020:13:45", "9999:12:31", "2020:01:01", ""])
def test_hostile_clocks(clock: str, day: str) -> None:
    assert position_traces("2020:01:01 10:00:00", clock=clock, day=day, gps=30.0) <= {
        "clock_unlike_satellite"
    }


def test_capture_times_of_exif_and_xmp() -> None:
    def traces(exif: str, xmp: str) -> set[str]:
        dates = {"EXIF DateTimeOriginal": exif, "XMP exif:DateTimeOriginal": xmp}
        return {trace.name for trace in find_date_traces(Metadata(dates=dates))}

    assert traces("2020:01:01 10:00:00", "2020-01-01T10:00:00") == set()
    assert traces("2020:01:01 10:00:00", "2020-01-01T08:00:00Z") == set()  # another time zone
    assert traces("2020:01:01 10:00:00", "2020-01-01T10:03:10") == {"capture_times_differ"}


def test_history_before_the_picture_and_odd_years() -> None:
    xmp = {"xmpMM:History[1]/stEvt:when": "2019-12-01T10:00:00+01:00"}
    metadata = Metadata(xmp=xmp, dates={"EXIF DateTimeOriginal": "2020:01:01 10:00:00"})
    assert [trace.name for trace in find_date_traces(metadata)] == ["history_before_taken"]
    early = Metadata(dates={"EXIF DateTimeOriginal": "1980:01:01 00:00:00"})
    assert [trace.name for trace in find_date_traces(early)] == ["implausible_year"]


def test_parsing() -> None:
    assert parse_date("2020:13:45 10:00:00") is None
    assert parse_date(None) is None
    assert parse_offset("+05:45") == timedelta(hours=5, minutes=45)
    assert parse_offset("Z") is None
