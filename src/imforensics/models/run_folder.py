"""The folder of a training run: made once, resumed with the settings it was started with."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from imforensics.config import ConfigModel, dump_config
from imforensics.errors import InterruptedRunError, OutputExistsError

PARTIAL = ".partial"
CONFIG_FILE = "config.yaml"
MAY_CHANGE = re.compile(r"^ +epochs: \d+$")  # to train longer


def open_run_folder(
    folder: Path,
    config: ConfigModel,
    *,
    resume: bool = False,
    overwrite: bool = False,
    may_grow: bool = True,
) -> None:
    """Make the folder of a run, or check that a run can go on in it.

    Args:
        folder: of the run.
        config: resolved settings; written to config.yaml.
        resume: go on with the run that is there, perhaps to another number of epochs; start one where there
            is none.
        overwrite: delete the run that is there.
        may_grow: False where the number of epochs is part of how each is fitted: it then stays.

    Raises:
        OutputExistsError: the folder exists and is not empty, and neither was asked for.
        InterruptedRunError: the run to resume was started with other settings.
    """
    text = dump_config(config)
    if folder.is_dir() and any(not path.name.endswith(PARTIAL) for path in folder.iterdir()):
        has_run = (folder / CONFIG_FILE).is_file()
        if resume and has_run:
            _check_same_settings(folder / CONFIG_FILE, text, may_grow=may_grow)
            write_atomically(folder / CONFIG_FILE, text)
            return
        if not (overwrite and has_run):
            raise OutputExistsError(_explain_existing(folder, has_run=has_run))
        shutil.rmtree(folder)
    elif folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder} is a file. Name a folder for the run.")
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / CONFIG_FILE, text)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a run resumed after a kill, sees all of it or none."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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


def _explain_existing(folder: Path, *, has_run: bool) -> str:
    if has_run:
        return (
            f"{folder} holds a run. Use --resume to go on, --overwrite to delete it, or name another folder."
        )
    return f"{folder} exists and holds something other than a training run. Name another folder."
