"""The learning curves of a finished run, read and drawn into its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from imforensics.models.training.run_log import RunLog, read_run
from imforensics.models.training.run_pictures import draw_runs
from imforensics.models.training.run_readings import RunReading, format_readings, read_curves_of
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import write_atomically

CURVES_PICTURE = "curves.png"
CURVES_WORDS = "curves.md"


def write_curves(run_folder: Path, logs: Sequence[str] = (LOG_FILE,)) -> tuple[RunReading, ...]:
    """Read a run's own logs, and write curves.png, curves.md and curves.json beside them.

    Args:
        run_folder: of the run.
        logs: names of its logs; not what others may have put beside them.

    Returns:
        One reading a log.
    """
    found = [read_run(run_folder / name) for name in logs]
    whole = RunLog(found[0].name, tuple(series for log in found for series in log.series))
    readings = read_curves_of(whole)
    draw_runs([whole], run_folder / CURVES_PICTURE)
    content = [reading.model_dump(mode="json") for reading in readings]
    write_atomically(run_folder / "curves.json", json.dumps(content, indent=2) + "\n")
    write_atomically(run_folder / CURVES_WORDS, format_readings(readings))
    return readings
