"""The curves of one or several runs in one picture: a panel for each quantity."""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from imforensics.models.training.run_log import Direction, Role, RunLog
from imforensics.outputs import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, told apart with any colour vision
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_STYLES: dict[Role, str] = {"training": "-", "training, evaluated": ":", "validation": "--"}
_BETTER: dict[Direction, str] = {"lower": ", lower is better", "higher": ", higher is better", "game": ""}
_COLUMNS = 3
_END = 12  # bytes of the chunk that ends a PNG
_SEAL = 12 + 12 + 64  # of the chunk with our digest: frame, keyword, hexadecimal SHA-256


def draw_runs(runs: Sequence[RunLog], path: Path) -> None:
    """Draw every quantity of the runs over the epochs; a colour is a run, a line style a role.

    Args:
        runs: at least one with a series.
        path: PNG to write.

    Raises:
        ValueError: there is nothing to draw.
    """
    from matplotlib.figure import Figure

    panels = list(dict.fromkeys((s.log, s.quantity) for run in runs for s in run.series))
    if not panels:
        raise ValueError("Expected runs with at least one finished epoch; received none")
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.1 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for (log, quantity), axes in zip(panels, grid.flat, strict=False):
        _draw_panel(axes, runs, log, quantity)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    png = buffer.getvalue()
    write_atomically(path, png[:-_END] + _make_seal(png[:-_END]) + png[-_END:])


def is_own_picture(path: Path) -> bool:
    """True for a file of `draw_runs` that nobody changed."""
    png = path.read_bytes() if path.is_file() else b""
    body, seal = png[: -_END - _SEAL], png[-_END - _SEAL : -_END]
    return seal == _make_seal(body)


def _make_seal(body: bytes) -> bytes:
    """A text chunk with the digest of all that comes before it in a PNG (W3C PNG, 11.3.3.2)."""
    text = b"tEXtimforensics\0" + hashlib.sha256(body).hexdigest().encode()
    return struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))


def _draw_panel(axes: Axes, runs: Sequence[RunLog], log: str, quantity: str) -> None:
    direction: Direction = "game"
    for number, run in enumerate(runs):
        for series in run.series:
            if (series.log, series.quantity) != (log, quantity):
                continue
            direction = series.direction
            is_alone = len(runs) == 1
            colour = 1 if is_alone and series.role == "validation" else number
            axes.plot(
                series.epochs,
                series.values,
                _STYLES[series.role],
                color=_COLOURS[colour % len(_COLOURS)],
                marker="o" if len(series.values) == 1 else None,
                label=series.role if is_alone else f"{run.name}, {series.role}",
            )
    prefix = "" if log == "training" else f"{log}: "
    axes.set_title(f"{prefix}{quantity}{_BETTER[direction]}", fontsize="medium")
    axes.set_xlabel("epoch")
    axes.legend(fontsize="x-small")
