"""A training run: its folder, made once and resumed with the same settings; the bundle that it ends with."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from imforensics.config import ConfigModel, dump_config
from imforensics.errors import InterruptedRunError, OutputExistsError
from imforensics.models.bundle.runtime import ManifestT
from imforensics.models.bundle.writer import CARD_FILE, write_bundle
from imforensics.models.training.checkpoints import SavedState
from imforensics.models.training.progress import Progress
from imforensics.models.training.run_curves import CURVES_PICTURE, CURVES_WORDS, write_curves
from imforensics.models.training.run_readings import RunReading
from imforensics.models.training.training_log import LOG_FILE
from imforensics.outputs import OutputFolder, claim_folder, write_atomically

KIND = "training run"
CONFIG_FILE = "config.yaml"
METRICS_FILE = "metrics.json"
BUNDLE_FOLDER = "bundle"
MAY_CHANGE = re.compile(r"^ +epochs: \d+$")  # to train longer


@dataclass(frozen=True, slots=True)
class TrainResult(Generic[ManifestT]):
    """What a training run ended with.

    Attributes:
        bundle_folder: the exported bundle.
        manifest: its facts.
        readings: what the learning curves say, one a log; the first is the main one.
        state: the rows of the training log.
        figures: what was measured, for a summary; plain values by name.
    """

    bundle_folder: Path
    manifest: ManifestT
    readings: tuple[RunReading, ...]
    state: SavedState[Any]
    figures: Mapping[str, Any]

    def summarize(self) -> dict[str, Any]:
        """The end of the run as JSON has it: null where a figure is not defined."""
        summary = {
            "bundle": str(self.bundle_folder),
            "epochs": self.state.epoch,
            "best_epoch": self.state.best_epoch,
            "curves": self.readings[0].verdict,
        }
        return {name: _to_json(value) for name, value in (summary | dict(self.figures)).items()}


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Where a training writes, and how it was asked to.

    Attributes:
        folder: of the run.
        resume: go on with the run that is there, perhaps to another number of epochs; start one where there
            is none. A finished run is measured and exported again, and nothing is fitted.
        overwrite: delete the run that is there.
        progress: told of everything that takes long.
    """

    folder: Path
    resume: bool = False
    overwrite: bool = False
    progress: Progress = field(default_factory=Progress)

    def open(self, config: ConfigModel, *, may_grow: bool = True) -> OutputFolder:
        """Make the folder, or check that the run can go on in it.

        Args:
            config: resolved settings; written to config.yaml.
            may_grow: False where the number of epochs is part of how each is fitted: it then stays.

        Returns:
            The folder, claimed; the run keeps it for as long as it writes.

        Raises:
            OutputExistsError: the folder holds a run, and neither was asked for; or see `claim_folder`, and
                `OutputFolder.clear` for what is not deleted.
            InterruptedRunError: the run to resume was started with other settings.
        """
        text = dump_config(config)
        output = claim_folder(self.folder, KIND, inputs=_list_inputs(config.model_dump()))
        with output.kept():
            if self.overwrite:
                output.clear()
            has_run = (self.folder / CONFIG_FILE).is_file()
            if has_run and not self.resume:
                raise OutputExistsError(
                    f"{self.folder} holds a run. Use --resume to go on, --overwrite to delete it, or name "
                    "another folder."
                )
            if has_run:
                _check_same_settings(self.folder / CONFIG_FILE, text, may_grow=may_grow)
            write_atomically(self.folder / CONFIG_FILE, text)
        return output

    def finish(
        self,
        manifest: ManifestT,
        parts: Mapping[str, bytes],
        *,
        card: str,
        state: SavedState[Any],
        figures: Mapping[str, Any],
        metrics: Mapping[str, Any] | None = None,
        logs: Sequence[str] = (LOG_FILE,),
        pictures: Sequence[str] = (),
    ) -> TrainResult[ManifestT]:
        """Read and draw the learning curves, and write the bundle.

        Args:
            manifest: content of bundle.yaml.
            parts: ONNX models by part.
            card: the model card; it lies in the run folder too.
            state: of the fit.
            figures: for the summary.
            metrics: content of metrics.json beside the bundle's name; None writes none. As the card.
            logs: names of the run's logs, the main one first.
            pictures: names of further files of the run folder that the bundle gets.
        """
        readings = write_curves(self.folder, logs)
        told: dict[str, str | bytes] = {CARD_FILE: card}
        if metrics is not None:
            told[METRICS_FILE] = json.dumps({"bundle": manifest.name, **metrics}, indent=2) + "\n"
        kept = (CONFIG_FILE, *logs, CURVES_PICTURE, CURVES_WORDS, *pictures)
        bundle = self.folder / BUNDLE_FOLDER
        write_bundle(bundle, manifest, parts, told | {n: (self.folder / n).read_bytes() for n in kept})
        for name, content in told.items():
            write_atomically(self.folder / name, content)
        return TrainResult(bundle, manifest, readings, state, figures)


def _to_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _list_inputs(settings: object, *, key: str = "") -> Iterator[Path]:
    """What a configuration names to read from: every path, and bundles that are folders."""
    if isinstance(settings, dict):
        for name, value in settings.items():
            yield from _list_inputs(value, key=str(name))
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from _list_inputs(value, key=key)
    elif isinstance(settings, Path) or (key == "bundle" and isinstance(settings, str) and "/" in settings):
        yield Path(settings)


def _check_same_settings(path: Path, text: str, *, may_grow: bool) -> None:
    before = path.read_text(encoding="utf-8")
    old, new = ([line for line in part.splitlines() if not MAY_CHANGE.match(line)] for part in (before, text))
    if old == new and (may_grow or before == text):
        return
    if old == new:
        raise InterruptedRunError(
            f"{path.parent} was started for another number of epochs, which its learning rate follows from "
            f"the first step on. Resume with the settings in {path}, or start a new run in another folder, "
            "for example from this one's weights (start_from)."
        )
    changed = [line.strip() for line in new if line not in old] or ["lines were removed"]
    raise InterruptedRunError(
        f"{path.parent} was started with other settings ({'; '.join(changed[:5])}). "
        f"Resume with the settings in {path}, name another folder, or start again with --overwrite."
    )
