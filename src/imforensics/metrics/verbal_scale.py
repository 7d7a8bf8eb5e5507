"""The one verbal scale for likelihood ratios, and the two propositions that they compare.

Reference:
    European Network of Forensic Science Institutes, Guideline for evaluative reporting in forensic science,
    2015: the findings are more probable under one proposition, never the proposition itself.
"""

from __future__ import annotations

from math import floor, log10
from typing import Literal

import numpy as np

H1 = "a region of this image was altered after capture by splicing, copy-move or removal (H1)"
H2 = "no such alteration was made (H2)"

# Lower end of each band, as log10 of the ratio, and its words.
BANDS: tuple[tuple[float, str], ...] = (
    (0.0, "no support either way"),
    (log10(2.0), "weak support"),
    (1.0, "moderate support"),
    (2.0, "moderately strong support"),
    (3.0, "strong support"),
    (4.0, "very strong support"),
    (6.0, "extremely strong support"),
)
AT_BOUND = 1e-9  # a ratio this near its bound was cut there

Proposition = Literal["H1", "H2"]


def verbal_support(log10_lr: float, bounds: tuple[float, float]) -> str:
    """One sentence with the number and the words of a likelihood ratio.

    The number is rounded down to two digits, so that it never outruns its band. A ratio cut at its bound is
    "at least" the bound, and on the edge between two bands takes the lower.

    Args:
        log10_lr: log10 of P(findings | H1) / P(findings | H2).
        bounds: smallest (≤ 0) and largest (≥ 0) log10 ratio that the calibration data allow.

    Returns:
        A complete sentence; swapping H1 and H2 swaps the two propositions in it and nothing else.

    Raises:
        ValueError: the ratio lies outside its bounds.

    >>> verbal_support(1.2, (-2, 2)).endswith("moderate support for H1.")
    True
    """
    words, favoured = verbal_band(log10_lr, bounds)
    number = _in_words(abs(log10_lr))
    if favoured is None:
        ratio = f"likelihood ratio {floor(100 * 10.0**log10_lr + 1e-9) / 100:.2f}"
        return f"The findings are about as probable if {H1} as if {H2} ({ratio}): {words}."
    more, less = (H1, H2) if favoured == "H1" else (H2, H1)
    degree = "at least" if is_at_bound(log10_lr, bounds) else "about"
    comparison = f"{degree} {number} times more probable if {more} than if {less}"
    return f"The findings are {comparison}: {words} for {favoured}."


def verbal_band(log10_lr: float, bounds: tuple[float, float]) -> tuple[str, Proposition | None]:
    """The words for a ratio, and the proposition it supports.

    Args:
        log10_lr: log10 likelihood ratio.
        bounds: smallest (≤ 0) and largest (≥ 0) log10 ratio that the calibration data allow.

    Returns:
        Words of the band; "H1" or "H2", None where there is no support either way.

    Raises:
        ValueError: the ratio lies outside its bounds.

    >>> verbal_band(-2.5, (-4, 4))
    ('moderately strong support', 'H2')
    """
    if not bounds[0] - AT_BOUND <= log10_lr <= bounds[1] + AT_BOUND:
        raise ValueError(f"Expected a log10 ratio within its bounds {bounds}, received {log10_lr}")
    edges = [edge for edge, _ in BANDS[1:]]
    side: Literal["left", "right"] = "left" if is_at_bound(log10_lr, bounds) else "right"
    index = int(np.searchsorted(edges, abs(log10_lr), side=side))
    if index == 0:
        return BANDS[0][1], None
    return BANDS[index][1], "H1" if log10_lr > 0 else "H2"


def is_at_bound(log10_lr: float, bounds: tuple[float, float]) -> bool:
    """True where the ratio was cut at the bound on its side."""
    bound = bounds[1] if log10_lr > 0 else -bounds[0]
    return abs(log10_lr) >= bound - AT_BOUND


def _in_words(magnitude: float) -> str:
    """10 ** magnitude (≥ 1), rounded down to two digits; powers of ten beyond ten million."""
    if magnitude >= 7:
        return f"10^{floor(magnitude)}"
    value = 10.0**magnitude
    step = 10.0 ** (floor(magnitude + 1e-12) - 1)
    rounded = floor(value / step + 1e-9) * step
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.1f}".removesuffix(".0")
