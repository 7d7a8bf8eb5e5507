"""The CSV log and the TensorBoard events hold every epoch once."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from imforensics.models.classifier.fit import ClassifierRow
from imforensics.models.training.training_log import TensorBoardLog, write_log
from imforensics.outputs import claim_folder

ROWS = [
    ClassifierRow(
        epoch=epoch,
        loss=0.7 - epoch / 10,
        accuracy=0.5,
        val_loss=0.69,
        val_accuracy=0.5,
        seconds=1.5,
        images_per_second=80.0,
    )
    for epoch in (1, 2, 3)
]


def test_csv_holds_every_row_once_however_often_it_is_written(tmp_path: Path) -> None:
    for count in (0, 1, 2, 2, 3):
        write_log(tmp_path, ROWS[:count], row_type=ClassifierRow)
    with (tmp_path / "training_log.csv").open(newline="") as lines:
        found = list(csv.DictReader(lines))
    assert [entry["epoch"] for entry in found] == ["1", "2", "3"]
    assert [float(entry["loss"]) for entry in found] == pytest.approx([0.6, 0.5, 0.4])


@pytest.mark.train
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_tensorboard_events_are_begun_anew_on_resume(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    output = claim_folder(tmp_path, "training run")
    first = TensorBoardLog(tmp_path)
    first.add(ROWS[0])
    first.add(ROWS[1])
    (tmp_path / "tensorboard" / "notes.txt").write_text("mine")
    assert len(list((tmp_path / "tensorboard").iterdir())) == 2, "of a run that was killed"
    first.close()
    resumed = TensorBoardLog(tmp_path, ROWS[:2])
    resumed.add(ROWS[2])
    resumed.close()
    steps = []
    (tmp_path / "tensorboard" / "notes.txt").unlink()
    assert len(output.check()) == 1, "it is recorded"
    for path in (tmp_path / "tensorboard").iterdir():
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            steps += [(value.tag, event.step) for value in event.summary.value]
            assert all(v.metadata.plugin_data.plugin_name == "scalars" for v in event.summary.value)
    assert [step for tag, step in steps if tag == "val_loss"] == [1, 2, 3]
    assert len(steps) == len(set(steps))
