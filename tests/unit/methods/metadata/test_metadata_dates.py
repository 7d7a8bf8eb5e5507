"""Dates, clocks, time zones and places."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from imforensics.methods.metadata.metadata_dates import (
    Moment,
    find_date_traces,
    find_position_traces,
    name_duration,
    parse_moment,
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
    early = Metadata(dates={"EXIF DateTimeOriginal": "1980:01:05 00:07:00"})
    assert [trace.name for trace in find_date_traces(early)] == ["implausible_year"]


def exif_traces(taken: str, changed: str = "", digitized: str = "", **zones: str) -> dict[str, str]:
    dates = {
        "EXIF DateTimeOriginal": taken,
        "Image DateTime": changed,
        "EXIF DateTimeDigitized": digitized,
    }
    exif = {f"EXIF OffsetTime{name.strip('_')}": zone for name, zone in zones.items()}
    metadata = Metadata(exif=exif, dates={key: value for key, value in dates.items() if value})
    return {trace.name: trace.words for trace in find_date_traces(metadata)}


def test_times_with_zones_are_compared_in_utc() -> None:
    """11:08 at UTC+2 is 09:08 UTC: a file changed at 09:20 UTC was changed 12 minutes later."""
    later = exif_traces("2020:09:14 11:08:06", "2020:09:14 09:20:45", Original="+02:00", _="+00:00")
    assert list(later) == ["changed_after_taken"]
    assert "12 minutes 39 seconds after" in later["changed_after_taken"]
    earlier = exif_traces("2020:09:14 11:08:06", "2020:09:14 11:20:45", Original="+02:00", _="+04:00")
    assert "1 hour 47 minutes before" in earlier["changed_before_taken"]


def test_an_unknown_zone_may_explain_a_difference() -> None:
    assert exif_traces("2020:09:14 11:08:06", "2020:09:14 09:20:45") == {}  # two hours west, 12 minutes later
    assert exif_traces("2020:09:14 11:08:06", "2020:09:14 14:38:07") == {}  # three and a half hours east
    assert set(exif_traces("2020:09:14 11:08:06", "2020:09:12 09:08:06")) == {"changed_before_taken"}
    assert set(exif_traces("2020:09:14 11:08:06", "2020:09:14 11:20:45")) == {"changed_after_taken"}


@pytest.mark.parametrize(
    "constant",
    [
        *("2002:12:08 12:00:00", "1970:01:01 00:00:00", "1980:01:01 00:00:00", "2000:01:01 00:00:00"),
        *("0000:00:00 00:00:00", "0000:01:01 00:00:00", "    :  :     :  :  ", "1998:01:01 00:00:00"),
    ],
)
def test_constants_of_firmware_are_no_dates(constant: str) -> None:
    assert exif_traces("2016:01:06 10:11:06", constant, constant) == {}
    assert exif_traces(constant, "2016:01:06 10:11:06") == {}


def test_a_second_or_two_is_no_edit_and_a_clock_never_set_is_no_other_time() -> None:
    assert exif_traces("2009:11:21 10:19:41", "2009:11:21 10:19:43", "2009:11:21 10:19:40") == {}
    assert exif_traces("2016:01:06 10:11:06", "", "1970:01:01 00:03:26") == {}
    assert set(exif_traces("2016:01:06 10:11:06", "", "2016:01:08 10:13:06")) == {"taken_unlike_digitized"}


@pytest.mark.parametrize(
    ("created", "modified", "expected"),
    [
        ("2020-09-14T11:08:06+02:00", "2020-09-14T09:20:45Z", set()),
        ("2020-09-14T11:08:06+02:00", "2020-09-14T09:07:45Z", {"xmp_dates_conflict"}),
        ("2020-09-14T11:08:06.123+02:00", "2020-09-14T11:08:05+0200", set()),
        ("2020-09-14T11:08:06", "2020-09-14T09:20:45Z", set()),
        ("2020-09-14T11:08:06", "2020-09-11T09:20:45Z", {"xmp_dates_conflict"}),
    ],
)
def test_xmp_dates_in_their_zones(created: str, modified: str, expected: set[str]) -> None:
    dates = {"XMP xmp:CreateDate": created, "XMP xmp:ModifyDate": modified}
    assert {trace.name for trace in find_date_traces(Metadata(dates=dates))} == expected


def test_the_satellites_give_the_zone_of_the_capture() -> None:
    dates = {
        "EXIF DateTimeOriginal": "2020:09:14 11:08:06",
        "XMP exif:DateTimeOriginal": "2020-09-14T09:08:06Z",
    }
    exif = {"GPS GPSDate": "2020:09:14", "GPS GPSTimeStamp": "[9, 8, 0]"}
    assert list(find_date_traces(Metadata(exif=exif, dates=dates))) == []
    other = dates | {"XMP exif:DateTimeOriginal": "2020-09-14T10:08:06Z"}
    traces = find_date_traces(Metadata(exif=exif, dates=other))
    assert [trace.name for trace in traces] == ["capture_times_differ"]


def test_no_words_show_a_negative_or_fractional_duration() -> None:
    words = [
        trace.words
        for trace in find_position_traces(
            Metadata(
                exif={"GPS GPSDate": "2020:01:01", "GPS GPSTimeStamp": "[12, 8, 4076/100]"},
                dates={"EXIF DateTimeOriginal": "2020:01:01 10:00:09"},
            )
        )
    ]
    assert words[0].startswith("The camera's clock is 2 hours 8 minutes off the satellites' UTC")


def test_parsing() -> None:
    assert parse_moment("2020:13:45 10:00:00") is None
    assert parse_moment(None) is None
    assert parse_moment("2002:07:13 15:58:28Z") == Moment(datetime(2002, 7, 13, 15, 58, 28), timedelta(0))
    assert parse_offset("+05:45") == timedelta(hours=5, minutes=45)
    assert parse_offset("Z") is None
    assert parse_offset("+25:00") is None
    assert name_duration(timedelta(0)) == "less than a second"
    assert name_duration(timedelta(days=-1, seconds=7291)) == "21 hours 58 minutes"
