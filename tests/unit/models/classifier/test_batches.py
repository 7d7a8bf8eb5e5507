"""Batches: a function of (seed, epoch), twins together, every image once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imforensics.models.classifier.batches import (
    LabelledInputs,
    batch_indices,
    class_weights,
    iterate_batches,
)


def numbered(count: int, *, unit: int = 1, side: int = 4) -> LabelledInputs:
    """Image k holds the value k, plus a mark in its top left corner that shows a flip."""
    inputs = np.broadcast_to(
        np.arange(count, dtype=np.float32)[:, None, None, None], (count, side, side, 1)
    ).copy()
    inputs[:, 0, 0] += 0.5
    return LabelledInputs(inputs, (np.arange(count) % 2).astype(np.float32), unit=unit)


@given(
    units=st.integers(1, 40),
    unit=st.sampled_from([1, 2]),
    batch_size=st.integers(2, 32),
    seed=st.integers(0, 99),
)
def test_every_image_comes_once_and_units_stay_together(
    units: int, unit: int, batch_size: int, seed: int
) -> None:
    batches = list(
        batch_indices(units * unit, unit=unit, batch_size=batch_size, rng=np.random.default_rng(seed))
    )
    assert sorted(np.concatenate(batches)) == list(range(units * unit))
    assert max(map(len, batches)) <= max(batch_size, unit)
    for batch in batches:
        members = batch.reshape(-1, unit)
        assert (members // unit == members[:, :1] // unit).all()


def test_the_place_in_a_batch_does_not_tell_the_label() -> None:
    batches = list(batch_indices(8000, unit=2, batch_size=20, rng=np.random.default_rng(0)))
    first_is_tampered = np.concatenate(batches)[::2] % 2
    assert 0.45 < first_is_tampered.mean() < 0.55


def test_epoch_and_seed_decide_the_order_alone() -> None:
    data = numbered(30)

    def values(seed: int, epoch: int) -> list[float]:
        batches = iterate_batches(data, batch_size=8, seed=seed, epoch=epoch, flips=True)
        return np.concatenate([inputs for inputs, _, _ in batches]).ravel().tolist()

    assert values(1, 3) == values(1, 3)
    assert values(1, 3) != values(1, 4)
    assert values(1, 3) != values(2, 3)


def test_flips_are_the_same_for_both_twins_and_leave_the_source_alone() -> None:
    data = numbered(80, unit=2)
    before = data.inputs.copy()
    corners = set()
    for inputs, labels, _ in iterate_batches(data, batch_size=10, seed=0, epoch=1, flips=True):
        assert (labels[::2] + labels[1::2] == 1).all()
        for one, other in zip(inputs[::2], inputs[1::2], strict=True):
            marks = [int((image - np.floor(image)).ravel().argmax()) for image in (one, other)]
            assert marks[0] == marks[1]
            corners.add(marks[0])
    assert corners == {0, 3, 12, 15}
    np.testing.assert_array_equal(data.inputs, before)


def test_without_flips_images_are_as_given() -> None:
    data = numbered(10)
    for inputs, labels, weights in iterate_batches(
        data, batch_size=4, seed=0, epoch=1, flips=False, weights=(0.5, 3.0)
    ):
        numbers = np.floor(inputs[:, 1, 1, 0]).astype(int)
        np.testing.assert_array_equal(inputs, data.inputs[numbers])
        np.testing.assert_array_equal(labels[:, 0], data.labels[numbers])
        np.testing.assert_array_equal(weights, np.where(labels > 0, 3.0, 0.5).astype(np.float32))
        assert inputs.dtype == labels.dtype == weights.dtype == np.float32


def test_class_weights_give_both_classes_the_same_sum() -> None:
    labels = np.array([0] * 7 + [1] * 3, np.float32)
    authentic, tampered = class_weights(labels)
    assert authentic * 7 == pytest.approx(tampered * 3)
    assert (authentic * 7 + tampered * 3) / 10 == pytest.approx(1)


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="received 4 authentic and 0 tampered"):
        class_weights(np.zeros(4, np.float32))


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 inputs and 2 labels"):
        LabelledInputs(np.zeros((3, 2, 2, 1), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="a multiple of 2"):
        LabelledInputs(np.zeros((3, 2, 2, 1), np.float32), np.zeros(3, np.float32), unit=2)
