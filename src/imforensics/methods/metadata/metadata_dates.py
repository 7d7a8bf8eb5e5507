"""Dates and position: what comes before what, and whether clock, time zone and place fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from imforensics.methods.metadata.traces import Trace
from imforensics.types import Metadata

EARLIEST_YEAR = (
    1995  # consumer digital cameras with EXIF come later; clocks that were never set start earlier
)
SAME_TIME = timedelta(
    seconds=2
)  # cameras stamp the shutter and the writing of the file a second or two apart
GPS_TOLERANCE = timedelta(minutes=5)  # a receiver's fix and the camera's clock are rarely further apart
OFFSET_STEP = timedelta(minutes=15)  # time zones are whole quarters of an hour from UTC, -12:00 to +14:00
MOST_WEST, MOST_EAST = timedelta(hours=-12), timedelta(hours=14)
ZONE_TOLERANCE_HOURS = 4.0  # by politics and summer time zones lie up to 3.5 hours off the sun's
# What firmware writes without a clock, beside midnight of a 1 January: a constant of Android phones.
FIRMWARE_DATE = datetime(2002, 12, 8, 12)
_DATE = re.compile(
    r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?"
)
_DAY = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)$")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_CLOCK = re.compile(r"\[(\d{1,9}(?:/\d{1,9})?), (\d{1,9}(?:/\d{1,9})?), (\d{1,9}(?:/\d{1,9})?)\]")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a file records it.

    Attributes:
        local: what the clock showed.
        offset: the clock's zone, local time minus UTC; None where the file does not say.
    """

    local: datetime
    offset: timedelta | None = None


def find_date_traces(metadata: Metadata) -> Iterator[Trace]:
    """Dates out of order, and dates that contradict each other."""
    taken = _taken(metadata)
    digitized = _exif_moment(metadata, "EXIF DateTimeDigitized", "EXIF OffsetTimeDigitized")
    changed = _exif_moment(metadata, "Image DateTime", "EXIF OffsetTime")
    if taken and changed and (later := find_order(taken, changed)):
        if later > timedelta(0):
            words = f"EXIF says that the file was changed {name_duration(later)} after the picture was taken."
            yield Trace("changed_after_taken", "weak", words)
        else:
            words = f"EXIF dates conflict: changed {name_duration(later)} before the picture was taken."
            yield Trace("changed_before_taken", "moderate", words)
    if taken and digitized and has_conflict(taken, digitized):
        words = "EXIF dates differ: taken and digitized at different times, as for a scan or after an edit."
        yield Trace("taken_unlike_digitized", "weak", words)
    recorded = parse_moment(metadata.dates.get("EXIF DateTimeOriginal"))
    if recorded and recorded.local.year < EARLIEST_YEAR:
        words = (
            f"EXIF says that the picture was taken in {recorded.local.year}: a clock never set, or a date "
            "set by hand."
        )
        yield Trace("implausible_year", "weak", words)
    yield from _compare_xmp_dates(metadata, taken)


def find_position_traces(metadata: Metadata) -> Iterator[Trace]:
    """Satellite time against the camera's clock, time zone and longitude."""
    taken = _exif_moment(metadata, "EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal", "EXIF OffsetTime")
    satellite = _satellite_time(metadata)
    if taken is None or satellite is None:
        offset = None if taken is None else taken.offset
    elif taken.offset is not None:
        offset = taken.offset
        if abs(taken.local - offset - satellite) > GPS_TOLERANCE:
            yield Trace(
                "clock_unlike_satellite",
                "weak",
                f"Clock and time zone give {taken.local - offset:%Y-%m-%d %H:%M:%S} UTC, the satellites "
                f"{satellite:%Y-%m-%d %H:%M:%S} UTC: the clock is wrong, the position is an old one, or one "
                "of the two was changed.",
            )
    else:
        offset = _round_offset(taken.local - satellite)
        if offset is None:
            yield Trace(
                "clock_unlike_satellite",
                "weak",
                f"The camera's clock is {name_duration(taken.local - satellite)} off the satellites' UTC, "
                "which is no time zone: the clock is wrong, the position is an old one, or one of the two "
                "was changed.",
            )
    if offset is not None and metadata.gps is not None:
        yield from _compare_longitude(offset, metadata.gps[1])


def find_order(first: Moment, second: Moment) -> timedelta | None:
    """How much later the second is, negative for earlier; None where they are one time, or may be.

    Where a zone is unknown, what zones may explain counts as one time: up to 26 hours earlier, and whole
    quarters of an hour later.
    """
    difference, is_certain = _subtract(first, second)
    if abs(difference) <= SAME_TIME:
        return None
    may_be_zone = abs(difference) <= MOST_EAST - MOST_WEST and (
        difference < timedelta(0) or _is_zone_step(difference)
    )
    return difference if is_certain or not may_be_zone else None


def has_conflict(first: Moment, second: Moment) -> bool:
    """Whether two records of one event differ by more than seconds, and by more than an unknown zone."""
    difference, is_certain = _subtract(first, second)
    may_be_zone = abs(difference) <= MOST_EAST - MOST_WEST and _is_zone_step(difference)
    return abs(difference) > SAME_TIME and (is_certain or not may_be_zone)


def name_duration(duration: timedelta) -> str:
    """The two largest units of a duration, without its sign.

    >>> name_duration(timedelta(hours=-2, seconds=-91)), name_duration(timedelta(days=400, hours=1))
    ('2 hours 1 minute', '400 days 1 hour')
    """
    left = int(abs(duration) / timedelta(seconds=1))
    parts = []
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, seconds)
        parts.append(f"{count:,} {unit}{'' if count == 1 else 's'}" if count else "")
    first = next((number for number, part in enumerate(parts) if part), len(parts) - 1)
    return " ".join(part for part in parts[first : first + 2] if part) or "less than a second"


def parse_moment(value: str | None) -> Moment | None:
    """EXIF ("2020:01:31 10:20:30") or ISO 8601, with a zone or without, to a time.

    None for anything else, and for what firmware writes when it has no clock.
    """
    match = None if value is None else _DATE.match(value)
    if match is None:
        return None
    try:
        local = datetime(*(int(part or 0) for part in match.groups()[:6]))  # type: ignore[arg-type]
    except ValueError:
        return None
    is_new_year = (local.month, local.day, local.hour, local.minute, local.second) == (1, 1, 0, 0, 0)
    if is_new_year or local == FIRMWARE_DATE:
        return None
    return Moment(local, timedelta(0) if match[7] == "Z" else parse_offset(match[7]))


def parse_offset(value: str | None) -> timedelta | None:
    """ "+02:00" to a time difference; None for anything else.

    >>> parse_offset("-03:30")
    datetime.timedelta(days=-1, seconds=73800)
    """
    match = None if value is None else _OFFSET.fullmatch(value.strip())
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    offset = -offset if match[1] == "-" else offset
    return offset if MOST_WEST <= offset <= MOST_EAST else None


def _exif_moment(metadata: Metadata, date: str, *zones: str) -> Moment | None:
    """One of EXIF's dates with its zone; None for none, and for the time of a clock that was never set."""
    moment = parse_moment(metadata.dates.get(date))
    if moment is None or moment.local.year < EARLIEST_YEAR:
        return None
    if moment.offset is not None:
        return moment
    offsets = (parse_offset(metadata.exif.get(zone)) for zone in zones)
    return Moment(moment.local, next((offset for offset in offsets if offset is not None), None))


def _taken(metadata: Metadata) -> Moment | None:
    """When the picture was taken; the zone is the declared one, else the one that satellite time gives."""
    taken = _exif_moment(metadata, "EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal")
    satellite = _satellite_time(metadata)
    if taken is None or taken.offset is not None or satellite is None:
        return taken
    return Moment(taken.local, _round_offset(taken.local - satellite))


def _subtract(first: Moment, second: Moment) -> tuple[timedelta, bool]:
    """Second minus first, and whether both zones are known."""
    if first.offset is None or second.offset is None:
        return second.local - first.local, False
    return (second.local - second.offset) - (first.local - first.offset), True


def _is_zone_step(difference: timedelta) -> bool:
    """Whether a difference is a whole number of quarters of an hour."""
    return abs(difference - round(difference / OFFSET_STEP) * OFFSET_STEP) <= SAME_TIME


def _compare_xmp_dates(metadata: Metadata, taken: Moment | None) -> Iterator[Trace]:
    created = parse_moment(metadata.dates.get("XMP xmp:CreateDate"))
    modified = parse_moment(metadata.dates.get("XMP xmp:ModifyDate"))
    order = find_order(created, modified) if created and modified else None
    if order and order < timedelta(0):
        words = f"XMP dates conflict: modified {name_duration(order)} before created."
        yield Trace("xmp_dates_conflict", "moderate", words)
    other = parse_moment(metadata.dates.get("XMP exif:DateTimeOriginal"))
    if taken and other and has_conflict(taken, other):
        words = (
            f"EXIF and XMP record different times of capture, {taken.local} and {other.local}: one was "
            "changed."
        )
        yield Trace("capture_times_differ", "moderate", words)
    steps = (parse_moment(value) for path, value in metadata.xmp.items() if path.endswith("/stEvt:when"))
    first = min((step for step in steps if step), key=lambda step: step.local, default=None)
    since = find_order(taken, first) if taken and first else None
    if since and since < timedelta(days=-1):
        words = f"XMP's history begins {name_duration(since)} before the picture was taken."
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
