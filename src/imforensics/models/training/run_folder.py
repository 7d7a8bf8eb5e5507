"""The folder of a training run: made once, resumed with the settings it was started with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from imforensics.config import ConfigModel, dump_config
from imforensics.errors import InterruptedRunError, OutputExistsError
from imforensics.outputs import OutputFolder, claim_folder, write_atomically

KIND = "training run"
CONFIG_FILE = "config.yaml"
MAY_CHANGE = re.compile(r"^ +epochs: \d+$")  # to train longer


def open_run_folder(
    folder: Path,
    config: ConfigModel,
    *,
    resume: bool = False,
    overwrite: bool = False,
    may_grow: bool = True,
) -> OutputFolder:
    """Make the folder of a run, or check that a run can go on in it.

    Args:
        folder: of the run.
        config: resolved settings; written to config.yaml.
        resume: go on with the run that is there, perhaps to another number of epochs; start one where there
            is none.
        overwrite: delete the run that is there.
        may_grow: False where the number of epochs is part of how each is fitted: it then stays.

    Returns:
        The folder, claimed; the run keeps it for as long as it writes.

    Raises:
        OutputExistsError: the folder holds a run, and neither was asked for; or see `claim_folder`, and
            `OutputFolder.clear` for what is not deleted.
        InterruptedRunError: the run to resume was started with other settings.
    """
    text = dump_config(config)
    output = claim_folder(folder, KIND, inputs=_list_inputs(config.model_dump()))
    with output.kept():
        if overwrite:
            output.clear()
        has_run = (folder / CONFIG_FILE).is_file()
        if has_run and not resume:
            raise OutputExistsError(
                f"{folder} holds a run. Use --resume to go on, --overwrite to delete it, or name another "
                "folder."
            )
        if has_run:
            _check_same_settings(folder / CONFIG_FILE, text, may_grow=may_grow)
        write_atomically(folder / CONFIG_FILE, text)
    return output


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
