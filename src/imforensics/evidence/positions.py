"""Where a file says that a picture was taken: positions of EXIF and of XMP in decimal degrees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Position = tuple[float, float]  # latitude, longitude in decimal degrees, north and east positive

_SIGNS = {"N": 1, "S": -1, "E": 1, "W": -1}
_AXES = (("Latitude", "NS"), ("Longitude", "EW"))
# XMP Specification Part 2 (2016), 1.2.7.4: "DDD,MM,SSk" or "DDD,MM.mmk"; some programs write signed degrees.
_XMP_AXIS = re.compile(
    r"([+-]?\d{1,3}(?:\.\d{1,20})?)(?:,(\d{1,2}(?:\.\d{1,20})?))?(?:,(\d{1,2}(?:\.\d{1,20})?))? ?([NSEW]?)"
)
_NUMBER_ERRORS = (AttributeError, TypeError, ValueError, ArithmeticError)


def read_exif_position(found: Mapping[str, Any], problems: list[str]) -> Position | None:
    """The position in exifread's tags, None without one; one that cannot be read is a problem.

    Reference:
        CIPA DC-008-2023 (EXIF 3.0), 4.6.7: degrees, minutes and seconds as ratios, the hemisphere apart.
    """
    signed = []
    for name, hemispheres in _AXES:
        value = found.get(f"GPS GPS{name}")
        if value is None:
            return None
        degrees, sign = _exif_degrees(value.values), _read_sign(found.get(f"GPS GPS{name}Ref"), hemispheres)
        if degrees is None and sign is None:  # how cameras write that they had no reception
            return None
        if degrees is None:
            problems.append("GPS: the coordinates are not numbers")
            return None
        if sign is None:
            problems.append("GPS: coordinates without a hemisphere (north or south, east or west)")
            return None
        signed.append(degrees * sign)
    return _check(signed, problems)


def read_xmp_position(xmp: Mapping[str, str], problems: list[str]) -> Position | None:
    """The position in XMP's properties, None without one; one that cannot be read is a problem."""
    values = [xmp.get(f"exif:GPS{name}", "").strip() for name, _ in _AXES]
    if not all(values):
        return None
    degrees = []
    for value, (_, hemispheres) in zip(values, _AXES, strict=True):
        match = _XMP_AXIS.fullmatch(value)
        is_signed = match is not None and not match[4]
        if match is None or (match[4] and match[4] not in hemispheres) or (is_signed and match[2]):
            problems.append(f"GPS: XMP's {value[:40]!r} is no position")
            return None
        parts = [float(part or 0) / 60**power for power, part in enumerate(match.groups()[:3])]
        degrees.append(sum(parts) * _SIGNS.get(match[4], 1))
    return _check(degrees, problems)


def _exif_degrees(values: Any) -> float | None:
    """Degrees of up to three ratios; minutes and seconds of 0/0 are not given."""
    try:
        parts = [
            0.0 if power and part.num == 0 and part.den == 0 else float(part.decimal()) / 60**power
            for power, part in enumerate(values[:3])
        ]
    except _NUMBER_ERRORS:
        return None
    return sum(parts) if parts else None


def _read_sign(reference: Any, hemispheres: str) -> int | None:
    """The sign that "N", "S", "E" or "W" stands for, written as text or as bytes."""
    values = getattr(reference, "values", None)
    if isinstance(values, list):
        values = "".join(chr(value) for value in values[:8] if isinstance(value, int) and 0 < value < 128)
    letter = values.strip()[:1].upper() if isinstance(values, str) else ""
    return _SIGNS[letter] if letter and letter in hemispheres else None


def _check(degrees: list[float], problems: list[str]) -> Position | None:
    latitude, longitude = degrees
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        problems.append("GPS: the coordinates are outside the globe")
        return None
    return round(latitude, 7), round(longitude, 7)
