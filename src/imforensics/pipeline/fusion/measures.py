"""Quality of ratios on labelled pictures: cost, calibration error and its floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imforensics.metrics.likelihood_ratio import (
    calibration_error_floor,
    cllr,
    cllr_min,
    expected_calibration_error,
    posterior_probability,
)

Float64Array = NDArray[np.float64]
BIN_COUNTS = (5, 10)


def measure_ratios(log10_lrs: Float64Array, labels: NDArray[np.intp], *, seed: int) -> dict[str, float]:
    """AUC, Cllr, its minimum, and calibration error over five and ten bins with the floor of each.

    Args:
        log10_lrs: (N,).
        labels: (N,) in {0, 1}, both present.
        seed: of the floor's draws.

    Returns:
        Name → value.
    """
    prior = float(np.log10((labels == 1).sum() / (labels == 0).sum()))
    probabilities = posterior_probability(log10_lrs, log10_prior_odds=prior)
    found = {
        "n_authentic": float((labels == 0).sum()),
        "n_tampered": float((labels == 1).sum()),
        "cllr": cllr(log10_lrs, labels),
        "cllr_min": cllr_min(log10_lrs, labels),
    }
    for n_bins in BIN_COUNTS:
        generator = np.random.default_rng(seed)
        found[f"ece_{n_bins}_bins"] = expected_calibration_error(probabilities, labels, n_bins=n_bins)
        found[f"ece_{n_bins}_bins_floor"] = calibration_error_floor(
            probabilities, generator=generator, n_bins=n_bins
        )
    return found
