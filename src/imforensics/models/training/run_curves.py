"""The learning curves of a finished run, read and drawn into its folder."""

from __future__ import annotations

from pathlib import Path

from imforensics.models.training.run_log import read_run
from imforensics.models.training.run_pictures import draw_runs
from imforensics.models.training.run_readings import RunReading, format_readings, read_curves_of
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import write_atomically

CURVES_PICTURE = "curves.png"
CURVES_WORDS = "curves.md"


def write_curves(run_folder: Path) -> RunReading:
    """Read a run's training log and write curves.png, curves.md and curves.json beside it."""
    log = read_run(run_folder / LOG_FILE)  # not what others may have put beside it
    reading = read_curves_of(log)[0]
    draw_runs([log], run_folder / CURVES_PICTURE)
    write_atomically(run_folder / "curves.json", reading.model_dump_json(indent=2) + "\n")
    write_atomically(run_folder / CURVES_WORDS, format_readings([reading]))
    return reading
