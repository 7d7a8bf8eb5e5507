"""Values of variables on disk: all of them, or some groups of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imforensics.errors import InterruptedRunError
from imforensics.models.training.variables import load_arrays, save_arrays


class Variable:
    """What a checkpoint asks of a variable."""

    def __init__(self, values: list[float]) -> None:
        """With values."""
        self.values = np.array(values, np.float32)

    def numpy(self) -> np.ndarray:
        """The values."""
        return self.values

    def assign(self, values: np.ndarray) -> None:
        """Take values of the same shape."""
        if values.shape != self.values.shape:
            raise ValueError(f"shape {values.shape}, expected {self.values.shape}")
        self.values = values


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "weights.npz"
    save_arrays(path, {"weights": [Variable([1, 2]), Variable([3])], "weights_of_one": [Variable([4])]})
    return path


def test_values_come_back(saved: Path) -> None:
    groups = {"weights": [Variable([0, 0]), Variable([0])], "weights_of_one": [Variable([0])]}
    load_arrays(saved, groups)
    assert [v.values.tolist() for group in groups.values() for v in group] == [[1, 2], [3], [4]]


def test_other_groups_are_left_only_where_it_is_said(saved: Path) -> None:
    groups = {"weights": [Variable([0, 0]), Variable([0])]}
    with pytest.raises(InterruptedRunError, match="it holds 3 arrays, expected 2"):
        load_arrays(saved, groups)
    load_arrays(saved, groups, leave_others=True)
    assert [v.values.tolist() for v in groups["weights"]] == [[1, 2], [3]]


@pytest.mark.parametrize(
    "groups",
    [
        {"weights": [Variable([0, 0])]},
        {"weights": [Variable([0, 0]), Variable([0]), Variable([0])]},
        {"weights": [Variable([0, 0]), Variable([0, 0])]},
        {"averages": [Variable([0])]},
    ],
)
def test_a_group_of_another_length_or_shape_is_refused(
    saved: Path, groups: dict[str, list[Variable]]
) -> None:
    with pytest.raises(InterruptedRunError, match="cannot be read"):
        load_arrays(saved, groups, leave_others=True)
