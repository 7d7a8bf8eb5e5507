"""Line plots drawn with Pillow: panels of curves in, pixels out.

An evaluation of a few hundred images takes a second or two, and importing matplotlib half of one: curves on
plain axes, which is all that an evaluation shows, are drawn here in a twentieth of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imforensics.types import UInt8Array

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Dash = Literal["-", "--", "-.", ":"]
Points = NDArray[np.float64]

FINE = 2  # lines are drawn so many times as large and reduced by area: smooth edges
DASHES: dict[Dash, tuple[float, ...]] = {"-": (), "--": (7, 4), "-.": (7, 3, 2, 3), ":": (2, 3)}  # pixels
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 26, 42  # around the axes of a panel, pixels
ROW = 15  # of a legend
TICK = 4
AXIS, REFERENCE = "#262626", "#bfbfbf"
TICK_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve.

    Attributes:
        x: (N,); the curve is broken where a value is not finite.
        y: (N,).
        label: in the legend, None for a line of reference.
        colour: "#rrggbb".
        dash: how it is broken up.
        steps: "post" keeps y until the next x, "pre" takes the next y at once, None joins the points.
        has_markers: a dot at each point.
        opacity: over white, in [0, 1].
    """

    x: ArrayLike
    y: ArrayLike
    label: str | None = None
    colour: str = REFERENCE
    dash: Dash = "-"
    steps: Literal["post", "pre"] | None = None
    has_markers: bool = False
    opacity: float = 1.0


@dataclass(slots=True)
class Panel:
    """Axes with curves.

    Attributes:
        title: above.
        x_label: below.
        y_label: at the left.
        lines: drawn in order.
        x_limits: None takes the range of the curves.
        y_limits: None takes the range of the curves.
        has_legend: the curves with a label are listed below the axes.
    """

    title: str = ""
    x_label: str = ""
    y_label: str = ""
    lines: list[Line] = field(default_factory=list)
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    has_legend: bool = True


class _Box(NamedTuple):
    """Axes on the canvas: corners in pixels, limits in units of the data."""

    left: int
    top: int
    right: int
    bottom: int
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]

    def place(self, x: ArrayLike, y: ArrayLike) -> Points:
        """(N, 2) places in pixels; what is outside the limits goes to the border."""
        (x0, x1), (y0, y1) = self.x_limits, self.y_limits
        right = np.clip((np.asarray(x, np.float64) - x0) / (x1 - x0), 0, 1)
        up = np.clip((np.asarray(y, np.float64) - y0) / (y1 - y0), 0, 1)
        across = self.left + right * (self.right - self.left)
        return np.stack([across, self.bottom - up * (self.bottom - self.top)], axis=1)


def draw_panels(rows: Sequence[Sequence[Panel]], *, width: int, height: int) -> UInt8Array:
    """Panels side by side and below each other, with what stands around them.

    Args:
        rows: of panels, all equally many.
        width: of one panel with its labels, pixels.
        height: of one panel with its labels and without its legend, pixels.

    Returns:
        (H, W, 3) uint8, white behind.
    """
    from PIL import Image, ImageDraw

    legends = [max(len(_labelled(panel)) for panel in row) * ROW for row in rows]
    size = (width * len(rows[0]), height * len(rows) + sum(legends))
    fine = Image.new("RGB", (size[0] * FINE, size[1] * FINE), "white")
    boxes: list[tuple[Panel, _Box]] = []
    for number, row in enumerate(rows):
        top = number * height + sum(legends[:number])
        boxes += [(panel, _box(panel, i * width, top, width, height)) for i, panel in enumerate(row)]
    pen = ImageDraw.Draw(fine)
    for panel, box in boxes:
        _draw_frame(pen, box)
        for line in panel.lines:
            _draw_line(pen, line, box)
        for place, line in _legend_places(panel, box):
            ends = Line((0, 0), (0, 0), colour=line.colour, dash=line.dash, opacity=line.opacity)
            _draw_points(pen, np.array([[place[0], place[1]], [place[0] + 26, place[1]]], np.float64), ends)
        _write_words(fine, pen, panel, box)
    return np.asarray(fine.reduce(FINE), dtype=np.uint8)


def choose_ticks(low: float, high: float) -> list[float]:
    """Four to seven round values from `low` to `high`, which is larger.

    >>> choose_ticks(0, 1.02)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in TICK_STEPS if power * factor >= rough * (1 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _box(panel: Panel, left: int, top: int, width: int, height: int) -> _Box:
    x_limits = panel.x_limits or _limits([line.x for line in panel.lines])
    y_limits = panel.y_limits or _limits([line.y for line in panel.lines])
    return _Box(left + LEFT, top + TOP, left + width - RIGHT, top + height - BOTTOM, x_limits, y_limits)


def _limits(arrays: Sequence[ArrayLike]) -> tuple[float, float]:
    """Range of what is finite, a little wider."""
    values = np.concatenate([np.asarray(array, np.float64) for array in arrays] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _draw_frame(pen: ImageDraw, box: _Box) -> None:
    corners = [(box.left * FINE, box.top * FINE), (box.right * FINE, box.bottom * FINE)]
    pen.rectangle(corners, outline=AXIS, width=FINE)
    for x, _ in _ticks(box, 0):
        pen.line([(x * FINE, box.bottom * FINE), (x * FINE, (box.bottom + TICK) * FINE)], AXIS, FINE)
    for y, _ in _ticks(box, 1):
        pen.line([((box.left - TICK) * FINE, y * FINE), (box.left * FINE, y * FINE)], AXIS, FINE)


def _ticks(box: _Box, axis: int) -> list[tuple[float, str]]:
    """Place along an axis and text of its ticks."""
    values = choose_ticks(*(box.x_limits, box.y_limits)[axis])
    zeros = np.zeros(len(values))
    places = box.place(values, zeros) if axis == 0 else box.place(zeros, values)
    decimals = max(len(f"{value:g}".partition(".")[2]) for value in values)
    texts = [f"{value:.{decimals}f}" for value in values] if decimals <= 4 else [f"{v:g}" for v in values]
    return list(zip(places[:, axis].tolist(), texts, strict=True))


def _draw_line(pen: ImageDraw, line: Line, box: _Box) -> None:
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    is_finite = np.isfinite(x) & np.isfinite(y)
    for part in np.split(np.arange(x.size), np.flatnonzero(np.diff(is_finite)) + 1):
        if part.size and is_finite[part[0]]:
            places = box.place(x[part], y[part])
            _draw_points(pen, _as_steps(places, line.steps), line)
            if line.has_markers:
                for across, down in places * FINE:
                    pen.circle((across, down), 2.5 * FINE, fill=_over_white(line))


def _as_steps(places: Points, steps: str | None) -> Points:
    if steps is None:
        return places
    doubled = np.repeat(places, 2, axis=0)
    x, y = (doubled[1:, 0], doubled[:-1, 1]) if steps == "post" else (doubled[:-1, 0], doubled[1:, 1])
    return np.stack([x, y], axis=1)


def _draw_points(pen: ImageDraw, places: Points, line: Line) -> None:
    width = 3 if line.label is not None or line.colour != REFERENCE else 2  # of fine pixels
    for part in _break_up(places, DASHES[line.dash]):
        pen.line([(float(x), float(y)) for x, y in part * FINE], _over_white(line), width, joint="curve")


def _break_up(places: Points, pattern: tuple[float, ...]) -> Iterator[Points]:
    """The drawn parts of a path, (M, 2) each."""
    if not pattern or len(places) < 2:
        yield places
        return
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    keep = np.append(True, np.diff(along) > 0)
    places, along = places[keep], along[keep]
    start = 0.0
    while start < along[-1]:
        for number, length in enumerate(pattern):
            end = min(start + length, along[-1])
            if number % 2 == 0 and start < along[-1]:
                inner = places[(along > start) & (along < end)]
                ends = [[np.interp(at, along, places[:, axis]) for axis in (0, 1)] for at in (start, end)]
                yield np.concatenate([ends[:1], inner, ends[1:]])
            start += length


def _over_white(line: Line) -> tuple[int, int, int]:
    red, green, blue = (int(line.colour[i : i + 2], 16) for i in (1, 3, 5))
    mixed = [round(255 - (255 - part) * line.opacity) for part in (red, green, blue)]
    return mixed[0], mixed[1], mixed[2]


def _labelled(panel: Panel) -> list[Line]:
    return [line for line in panel.lines if line.label is not None] if panel.has_legend else []


def _legend_places(panel: Panel, box: _Box) -> list[tuple[tuple[int, int], Line]]:
    top = box.bottom + BOTTOM
    return [((box.left, top + ROW * i + ROW // 2), line) for i, line in enumerate(_labelled(panel))]


def _write_words(fine: Image, pen: ImageDraw, panel: Panel, box: _Box) -> None:
    middle, small = (box.left + box.right) / 2, _font(11 * FINE)
    words = [(middle, box.bottom + 35.0, panel.x_label, "ms")]
    words += [(x, box.bottom + TICK + 12.0, text, "ms") for x, text in _ticks(box, 0)]
    words += [(box.left - TICK - 3.0, y, text, "rm") for y, text in _ticks(box, 1)]
    words += [(x + 32, y, line.label or "", "lm") for (x, y), line in _legend_places(panel, box)]
    for x, y, text, anchor in words:
        pen.text((x * FINE, y * FINE), text, AXIS, small, anchor=anchor)
    pen.text((middle * FINE, (box.top - 7) * FINE), panel.title, AXIS, _font(13 * FINE), anchor="ms")
    if panel.y_label:
        _write_upwards(
            fine, panel.y_label, ((box.left - LEFT + 4) * FINE, (box.top + box.bottom) // 2 * FINE)
        )


def _write_upwards(fine: Image, text: str, place: tuple[int, int]) -> None:
    """A label along a vertical axis, its middle at a height; in fine pixels."""
    from PIL import Image, ImageDraw

    font = _font(11 * FINE)
    length = max(1, round(font.getlength(text)))
    label = Image.new("L", (length, 16 * FINE), 0)
    ImageDraw.Draw(label).text((0, 12 * FINE), text, 255, font, anchor="ls")
    fine.paste(AXIS, (place[0], place[1] - length // 2), label.rotate(90, expand=True))


@cache
def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
