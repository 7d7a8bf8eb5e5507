"""Models of once and twice quantized coefficients, against drawn coefficients and exact identities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fixtures.synthetic import make_photo_like
from imforensics.evidence import read_evidence
from imforensics.preprocessing.dct_statistics import (
    MAX_FIRST,
    NOISE,
    SCALES,
    describe_levels,
    likelihood_gains,
    log_ratios,
    magnitude_limit,
    move_off_grid,
    normal_cdf,
    once_quantized,
    twice_quantized,
)
from imforensics.preprocessing.jpeg import encode_jpeg


def draw(step: int, first: int | None, *, scale: float = 3.0, seed: int = 0, side: int = 120) -> np.ndarray:
    """Laplacian coefficients of a scale in units of `step`, quantized by `first` before if given."""
    rng = np.random.default_rng(seed)
    values = rng.laplace(0, scale * step, (side, side))
    if first is not None:
        values = np.rint(values / first) * first + rng.normal(0, NOISE, values.shape)
    return np.rint(values / step).astype(np.int16)


def test_normal_cdf_agrees_with_the_error_function() -> None:
    values = np.linspace(-6, 6, 241)
    expected = [0.5 * math.erfc(-value / math.sqrt(2)) for value in values]
    np.testing.assert_allclose(normal_cdf(values), expected, atol=1e-7)


@pytest.mark.parametrize("step", [1, 3, 8, 40, 96])
def test_models_are_distributions(step: int) -> None:
    shape = (len(SCALES), magnitude_limit(step) + 1)
    assert once_quantized(step).shape == shape
    assert twice_quantized(step).shape == (MAX_FIRST, *shape)
    np.testing.assert_allclose(np.exp(once_quantized(step)).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(twice_quantized(step)).sum(axis=2), 1, rtol=1e-5)


def test_first_divisor_five_leaves_the_gaps_of_step_two() -> None:
    # Multiples of 5 over 2: 0, 2.5, 5, 7.5, 10: magnitudes 1, 4, 6 and 9 stay empty.
    chances = np.exp(twice_quantized(2)[4, 20])
    assert chances[[1, 4, 6, 9]].max() < 0.2 * chances[[0, 5, 10]].min()


def test_twice_quantized_agrees_with_a_simulation() -> None:
    step, first, scale = 8, 5, 12
    rng = np.random.default_rng(3)
    spread = rng.choice([-4, 0, 4], size=400_000, p=[0.3, 0.4, 0.3])
    values = rng.laplace(0, SCALES[scale + spread] * step)
    twice = np.rint((np.rint(values / first) * first + rng.normal(0, NOISE, values.shape)) / step)
    counts = np.bincount(np.minimum(np.abs(twice).astype(int), 40), minlength=41)
    np.testing.assert_allclose(
        np.exp(twice_quantized(step)[first - 1, scale]), counts / counts.sum(), atol=4e-3
    )


@pytest.mark.parametrize(("step", "first"), [(8, 5), (6, 10), (3, 7), (7, 12)])
def test_the_first_divisor_is_found(step: int, first: int) -> None:
    reference = describe_levels(draw(step, None, seed=1), step).counts
    ratios = log_ratios(step, reference)
    gains = likelihood_gains(ratios, describe_levels(draw(step, first), step).counts)
    assert gains.argmax() + 1 == first
    assert gains.max() > 300


@pytest.mark.parametrize("step", [1, 3, 8, 20])
def test_nothing_is_gained_where_coefficients_were_quantized_once(step: int) -> None:
    reference = describe_levels(draw(step, None, seed=1), step).counts
    gains = likelihood_gains(log_ratios(step, reference), describe_levels(draw(step, None), step).counts)
    assert gains.max() < 10


def test_a_shape_that_is_not_laplacian_does_not_pass_for_double_quantization() -> None:
    rng = np.random.default_rng(5)
    one, two = (np.rint(rng.uniform(-60, 60, (150, 150)) / 8).astype(np.int16) for _ in range(2))
    ratios = log_ratios(8, describe_levels(one, 8).counts)
    assert likelihood_gains(ratios, describe_levels(two, 8).counts).max() < 30


def test_levels_count_every_block_and_take_the_scale_from_the_neighbours() -> None:
    coefficients = np.zeros((20, 30), dtype=np.int16)
    coefficients[:, 15:] = np.where(np.arange(15) % 2, -9, 9)
    levels = describe_levels(coefficients, 8)
    assert levels.counts.sum() == coefficients.size
    assert levels.magnitudes.max() == 9
    assert levels.scales[:, :12].max() < levels.scales[:, 18:].min()
    alone = np.zeros((9, 9), dtype=np.int16)
    alone[4, 4] = 30
    assert describe_levels(alone, 8).scales[4, 4] == describe_levels(alone, 8).scales[0, 0]


def test_moved_off_the_grid_equals_a_crop_saved_again() -> None:
    pixels = make_photo_like(72, 96)[..., 0]
    jpeg = read_evidence(encode_jpeg(pixels, quality=90), name="a.jpg")
    assert jpeg.jpeg is not None
    table = jpeg.jpeg.quantization_tables[0]
    moved = move_off_grid(jpeg.jpeg.read_coefficients()[0], table)
    cropped = np.ascontiguousarray(jpeg.pixels[4:-4, 4:-4, 0])
    again = read_evidence(encode_jpeg(cropped, quality=90), name="b.jpg").jpeg
    assert again is not None
    expected = again.read_coefficients()[0]
    assert moved.shape == expected.shape == (8, 11, 8, 8)
    assert np.mean(moved != expected) < 0.02  # integer transforms and ties
    assert np.abs(moved - expected).max() <= 1


def test_strips_do_not_show() -> None:
    rng = np.random.default_rng(0)
    coefficients = rng.integers(-3, 4, (20, 400, 8, 8)).astype(np.int16)  # several strips
    table = np.full((8, 8), 10, dtype=np.uint16)
    whole = move_off_grid(coefficients, table)
    np.testing.assert_array_equal(whole[:, :10], move_off_grid(coefficients[:, :11], table))


def test_log_ratios_of_larger_magnitudes_are_normalised_among_themselves() -> None:
    reference = describe_levels(draw(4, None), 4).counts
    reference[:, 1] /= 3  # ones that an encoder took change nothing
    ratios = log_ratios(4, reference, smallest=2)
    assert not ratios[..., :2].any()
    weights = (reference + 30 * np.exp(once_quantized(4)))[:, 2:]
    means = (np.exp(ratios[..., 2:]) * weights).sum(axis=2) / weights.sum(axis=1)
    np.testing.assert_allclose(means, 1, rtol=1e-3)
    np.testing.assert_array_equal(log_ratios(4, reference, smallest=0), log_ratios(4, reference))
