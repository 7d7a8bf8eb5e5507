"""Values of variables on disk, bit by bit: what a checkpoint of networks and optimizers holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imforensics.errors import InterruptedRunError

if TYPE_CHECKING:
    import keras

Groups = Mapping[str, Sequence[Any]]


def list_variables(model: keras.Model) -> dict[str, Sequence[Any]]:
    """What fitting a compiled model changes: "weights" and "optimizer"."""
    model.optimizer.build(model.trainable_variables)
    return {"weights": model.weights, "optimizer": model.optimizer.variables}


def save_arrays(path: Path, groups: Groups) -> None:
    """Write the values of variables."""
    values = {
        f"{name}_{index:03d}": np.asarray(variable.numpy())
        for name, variables in groups.items()
        for index, variable in enumerate(variables)
    }
    with path.open("wb") as file:
        np.savez(file, **values)  # type: ignore[arg-type]  # the stub knows no names


def load_arrays(path: Path, groups: Groups, *, leave_others: bool = False) -> None:
    """Give variables the values that `save_arrays` wrote.

    Args:
        path: the file.
        groups: variables by name of the group; each group is as long as the one that was written.
        leave_others: the file may hold further groups.

    Raises:
        InterruptedRunError: the file cannot be read, or was written for other networks.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            expected = {
                f"{name}_{index:03d}" for name, group in groups.items() for index in range(len(group))
            }
            found = {name for name in stored.files if not leave_others or name.rpartition("_")[0] in groups}
            if found != expected:
                raise ValueError(f"it holds {len(found)} arrays, expected {len(expected)}")
            for name, variables in groups.items():
                for index, variable in enumerate(variables):
                    variable.assign(stored[f"{name}_{index:03d}"])
    except (OSError, ValueError, EOFError) as error:
        raise unreadable_checkpoint(path, error) from error


def unreadable_checkpoint(path: Path, error: Exception) -> InterruptedRunError:
    """What to raise where a checkpoint cannot be read."""
    return InterruptedRunError(
        f"The checkpoint {path} cannot be read: {error}. Start the run again with --overwrite."
    )
