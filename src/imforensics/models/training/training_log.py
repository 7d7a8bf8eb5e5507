"""Logs of a fit: a CSV table and TensorBoard events, both rewritten from the checkpointed rows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from imforensics.models.training.checkpoints import LogRow
from imforensics.outputs import delete_own, record_file, record_pattern, write_atomically

LOG_FILE = "training_log.csv"
TENSORBOARD_FOLDER = "tensorboard"


def write_log(
    folder: Path,
    rows: Sequence[LogRow],
    *,
    row_type: type[LogRow],
    file_name: str = LOG_FILE,
) -> None:
    """Write a log, one line per finished epoch; the whole file is replaced each time.

    Args:
        folder: of the run.
        rows: one per epoch, of `row_type`.
        row_type: its fields are the columns; None in a row leaves the cell empty.
        file_name: of the log.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(row_type.model_fields)
    for row in rows:
        writer.writerow(_format(value) for value in row.model_dump().values())
    write_atomically(folder / file_name, text.getvalue())


class TensorBoardLog:
    """TensorBoard scalars of each epoch, written with TensorFlow alone; the viewer is another package."""

    def __init__(self, folder: Path, rows: Sequence[LogRow] = ()) -> None:
        """Start the events anew with the rows of earlier epochs, so that none is missing or comes twice."""
        import tensorflow as tf

        path = folder / TENSORBOARD_FOLDER
        delete_own(path)
        self._folder = path
        self._names = f"events.out.tfevents.*.{os.getpid()}.*"
        record_pattern(path, self._names, is_open=True)
        self._writer = tf.summary.create_file_writer(str(path))
        for row in rows:
            self.add(row)

    def add(self, row: LogRow) -> None:
        """Write one epoch: the row's field `epoch` is the step, every other number a scalar."""
        import tensorflow as tf

        # What tf.summary.scalar writes; that function itself is part of the separate tensorboard package.
        metadata = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"), data_class=1
        )
        with self._writer.as_default():
            values = row.model_dump(exclude_none=True)
            step = values.pop("epoch")
            for name, value in values.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=step, metadata=metadata)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        self._writer.close()
        for file in self._folder.glob(self._names):
            record_file(file)
        record_pattern(self._folder, self._names, is_open=False)


def _format(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6g}"
