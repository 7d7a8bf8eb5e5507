"""Dates and position: what comes before what, and whether clock, time zone and place fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from imforensics.methods.traces import Trace
from imforensics.types import Metadata

EARLIEST_YEAR = (
    1995  # consumer digital cameras with EXIF come later; clocks that were never set start earlier
)
GPS_TOLERANCE = timedelta(minutes=5)  # a receiver's fix and the camera's clock are rarely further apart
OFFSET_STEP = timedelta(minutes=15)  # time zones are whole quarters of an hour from UTC, -12:00 to +14:00
MOST_WEST, MOST_EAST = timedelta(hours=-12), timedelta(hours=14)
ZONE_TOLERANCE_HOURS = 4.0  # by politics and summer time zones lie up to 3.5 hours off the sun's
_DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
_DAY = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)$")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
_CLOCK = re.compile(r"\[(\d{1,9}(?:/\d{1,9})?), (\d{1,9}(?:/\d{1,9})?), (\d{1,9}(?:/\d{1,9})?)\]")


def find_date_traces(metadata: Metadata) -> Iterator[Trace]:
    """Dates out of order, and dates that contradict each other."""
    dates = metadata.dates
    taken = parse_date(dates.get("EXIF DateTimeOriginal"))
    digitized = parse_date(dates.get("EXIF DateTimeDigitized"))
    changed = parse_date(dates.get("Image DateTime"))
    if taken and changed and changed > taken:
        words = f"EXIF says the file was changed {changed - taken} after the picture was taken."
        yield Trace("changed_after_taken", "weak", words)
    if taken and changed and changed < taken:
        words = f"EXIF dates conflict: the file was changed {taken - changed} before the picture was taken."
        yield Trace("changed_before_taken", "moderate", words)
    if taken and digitized and taken != digitized:
        words = "EXIF dates differ: taken and digitized at different times, as for a scan or after an edit."
        yield Trace("taken_unlike_digitized", "weak", words)
    if taken and taken.year < EARLIEST_YEAR:
        words = (
            f"EXIF says that the picture was taken in {taken.year}: a clock never set, or a date set by hand."
        )
        yield Trace("implausible_year", "weak", words)
    yield from _compare_xmp_dates(metadata, taken)


def find_position_traces(metadata: Metadata) -> Iterator[Trace]:
    """Satellite time against the camera's clock, time zone and longitude."""
    taken = parse_date(metadata.dates.get("EXIF DateTimeOriginal"))
    satellite = _satellite_time(metadata)
    declared = parse_offset(
        metadata.exif.get("EXIF OffsetTimeOriginal") or metadata.exif.get("EXIF OffsetTime")
    )
    if taken is None or satellite is None:
        offset = declared
    else:
        offset = declared if declared is not None else _round_offset(taken - satellite)
        if declared is not None and abs(taken - declared - satellite) > GPS_TOLERANCE:
            yield Trace(
                "clock_unlike_satellite",
                "weak",
                f"Clock and time zone give {taken - declared} UTC, the satellites {satellite} UTC: the "
                "clock is wrong, the position is an old one, or one of the two was changed.",
            )
        elif offset is None:
            yield Trace(
                "clock_unlike_satellite",
                "weak",
                f"The camera's clock is {taken - satellite} off the satellites' UTC, which is no time "
                "zone: the clock is wrong, the position is an old one, or one of the two was changed.",
            )
    if offset is not None and metadata.gps is not None:
        yield from _compare_longitude(offset, metadata.gps[1])


def parse_date(value: str | None) -> datetime | None:
    """EXIF ("2020:01:31 10:20:30") or ISO 8601 to a naive local time; None for anything else."""
    match = None if value is None else _DATE.match(value)
    if match is None:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None


def parse_offset(value: str | None) -> timedelta | None:
    """ "+02:00" to a time difference; None for anything else.

    >>> parse_offset("-03:30")
    datetime.timedelta(days=-1, seconds=73800)
    """
    match = None if value is None else _OFFSET.fullmatch(value.strip())
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def _compare_xmp_dates(metadata: Metadata, taken: datetime | None) -> Iterator[Trace]:
    created = parse_date(metadata.dates.get("XMP xmp:CreateDate"))
    modified = parse_date(metadata.dates.get("XMP xmp:ModifyDate"))
    if created and modified and modified < created:
        yield Trace("xmp_dates_conflict", "moderate", "XMP dates conflict: modified before created.")
    other = parse_date(metadata.dates.get("XMP exif:DateTimeOriginal"))
    if taken and other and abs(taken - other) % OFFSET_STEP > timedelta(seconds=2):
        words = f"EXIF and XMP record different times of capture, {taken} and {other}: one was changed."
        yield Trace("capture_times_differ", "moderate", words)
    first = min(
        (
            when
            for path, value in metadata.xmp.items()
            if path.endswith("/stEvt:when") and (when := parse_date(value))
        ),
        default=None,
    )
    if taken and first and first < taken - timedelta(days=1):
        words = f"XMP's history begins {taken - first} before the picture was taken."
        yield Trace("history_before_taken", "moderate", words)


def _satellite_time(metadata: Metadata) -> datetime | None:
    day = _DAY.match(metadata.exif.get("GPS GPSDate", "").strip())
    clock = _CLOCK.fullmatch(metadata.exif.get("GPS GPSTimeStamp", "").strip())
    if day is None or clock is None:
        return None
    try:
        hours, minutes, seconds = (_ratio(part) for part in clock.groups())
        if hours >= 25 or minutes >= 61 or seconds >= 61:
            return None
        midnight = datetime(*(int(part) for part in day.groups()))  # type: ignore[arg-type]
        return midnight + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def _ratio(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return int(numerator) / int(denominator or 1)


def _round_offset(difference: timedelta) -> timedelta | None:
    """The time zone that a difference from UTC amounts to, None where there is none near it."""
    steps = round(difference / OFFSET_STEP)
    offset = steps * OFFSET_STEP
    is_zone = MOST_WEST <= offset <= MOST_EAST and abs(difference - offset) <= GPS_TOLERANCE
    return offset if is_zone else None


def _compare_longitude(offset: timedelta, longitude: float) -> Iterator[Trace]:
    hours = offset / timedelta(hours=1)
    gap = abs(hours - longitude / 15)
    if min(gap, 24 - gap) > ZONE_TOLERANCE_HOURS:
        yield Trace(
            "time_zone_unlike_longitude",
            "weak",
            f"The clock's time zone (UTC{hours:+g} h) does not belong to longitude {longitude:g}: a clock "
            "left at home's time, or a position set afterwards.",
        )
