"""The verbal scale: bands, bounds, and symmetry under swapping the propositions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imforensics.metrics.verbal_scale import BANDS, H1, H2, verbal_band, verbal_support

WIDE = (-9.0, 9.0)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, "no support either way"),
        (1.99, "no support either way"),
        (2.01, "weak support"),
        (10, "moderate support"),
        (99, "moderate support"),
        (100, "moderately strong support"),
        (1000, "strong support"),
        (1e4, "very strong support"),
        (9e5, "very strong support"),
        (1e6, "extremely strong support"),
    ],
)
def test_bands_are_those_of_the_guideline(ratio, words):
    from math import log10

    assert verbal_band(log10(ratio), WIDE)[0] == words
    assert verbal_band(-log10(ratio), WIDE)[0] == words


def test_a_bounded_ratio_is_at_least_and_takes_the_lower_band():
    sentence = verbal_support(2.0, (-2.0, 2.0))
    assert "at least 100 times more probable" in sentence
    assert sentence.endswith("moderate support for H1.")
    assert "about 100 times" in verbal_support(2.0, WIDE)
    assert verbal_support(2.0, WIDE).endswith("moderately strong support for H1.")


def test_the_findings_are_more_probable_never_the_proposition():
    sentence = verbal_support(1.5, WIDE)
    assert (
        sentence
        == f"The findings are about 31 times more probable if {H1} than if {H2}: moderate support for H1."
    )


@given(st.floats(-8.5, 8.5))
def test_swapping_the_propositions_swaps_nothing_else(log10_lr):
    if verbal_band(log10_lr, WIDE)[1] is None:
        assert "no support either way" in verbal_support(log10_lr, WIDE)
        return
    swapped = verbal_support(-log10_lr, WIDE)
    for one, other in ((H1, H2), ("for H1", "for H2")):
        swapped = swapped.replace(one, "@").replace(other, one).replace("@", other)
    assert swapped == verbal_support(log10_lr, WIDE)


@given(st.floats(0, 8), st.floats(0, 8))
def test_a_larger_ratio_never_takes_a_lower_band(one, other):
    words = [name for _, name in BANDS]
    low, high = sorted([one, other])
    assert words.index(verbal_band(low, WIDE)[0]) <= words.index(verbal_band(high, WIDE)[0])


@given(st.floats(0.302, 6.9))
def test_the_number_never_outruns_its_band(log10_lr):
    from math import log10

    number = re.search(r"about ([\d,.]+) times", verbal_support(log10_lr, WIDE)).group(1)
    value = log10(float(number.replace(",", "")))
    assert value <= log10_lr + 1e-9
    assert verbal_band(value, WIDE) == verbal_band(log10_lr, WIDE)


def test_a_ratio_outside_its_bounds_is_refused():
    with pytest.raises(ValueError, match="bounds"):
        verbal_support(2.1, (-2.0, 2.0))


def test_bounds_of_zero_allow_no_support():
    assert verbal_support(0.0, (0.0, 0.0)).endswith("no support either way.")
