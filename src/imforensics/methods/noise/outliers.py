"""Principal components, and a Gaussian fitted among outliers by expectation maximization.

References:
    A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
    Journal of the Royal Statistical Society B 39 (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    J. D. Banfield, A. E. Raftery, "Model-based Gaussian and non-Gaussian clustering", Biometrics 49 (1993),
    doi:10.2307/2532201 (outliers as a component of constant density).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imforensics.types import FloatArray

Float64Array = NDArray[np.float64]

MAX_STEPS = 60
TOLERANCE = 1e-6  # of the mean log likelihood between two steps
FIRST_SHARE = 0.9  # of the Gaussian, before the first step
MIN_SHARE = 0.5  # of the Gaussian: outliers are the minority by definition
MIN_VARIANCE = 1e-5  # added to each variance: of square roots of frequencies, whose rounding is far below
MIN_EIGENVALUE = 1e-9  # components below, or below this share of the largest, carry rounding only
MIN_EIGENVALUE_SHARE = 1e-6


@dataclass(frozen=True, slots=True)
class GaussianFit:
    """The Gaussian of the majority.

    Attributes:
        mean: (d,) float64.
        covariance: (d, d) float64, positive definite.
        share: of the samples that belong to the Gaussian, [0.5, 1].
    """

    mean: Float64Array
    covariance: Float64Array
    share: float

    def squared_distances(self, samples: FloatArray) -> Float64Array:
        """Squared Mahalanobis distance of each of (n, d) samples, (n,) float64; chi-squared with d degrees
        of freedom where the samples are normal.
        """
        return _distances(samples, self.mean, _factor(self.covariance))


def project_principal(samples: FloatArray, *, components: int) -> FloatArray:
    """Coordinates along the directions of largest variance.

    Args:
        samples: (n, m) float32, n >= 1.
        components: number of directions at most; those without variance are left out.

    Returns:
        (n, d) float32, d <= components, centred, by falling variance; d = 0 where all samples are equal.

    >>> project_principal(np.array([[0, 0], [2, 0]], np.float32), components=2).shape
    (2, 1)
    """
    mean = samples.mean(axis=0, dtype=np.float64)
    centred = samples - mean.astype(np.float32)
    variances, directions = np.linalg.eigh(np.asarray(centred.T @ centred, np.float64) / len(samples))
    least = max(MIN_EIGENVALUE, MIN_EIGENVALUE_SHARE * float(variances[-1]))
    chosen = [i for i in range(len(variances))[::-1][:components] if variances[i] > least]
    return np.asarray(centred @ directions[:, chosen].astype(np.float32), dtype=np.float32)


def fit_gaussian(samples: FloatArray) -> GaussianFit:
    """Fit a Gaussian to the majority, with outliers of constant density, by expectation maximization.

    The density of the outliers is one over the volume of the box that holds all samples. Two starts from the
    median, with the covariance of all samples and with that of the inner half; the likelier fit is taken. No
    step is random.

    Args:
        samples: (n, d) float32, n >= 2, d >= 1.

    Returns:
        The fit after at most 60 steps from either start.

    Raises:
        ValueError: fewer than two samples or no dimension.

    >>> rng = np.random.default_rng(0)
    >>> samples = np.concatenate([rng.normal(0, 1, (900, 2)), rng.uniform(-30, 30, (100, 2))])
    >>> bool(abs(fit_gaussian(samples.astype(np.float32)).share - 0.9) < 0.02)
    True
    """
    if samples.ndim != 2 or len(samples) < 2 or samples.shape[1] < 1:
        raise ValueError(f"Expected (n, d) samples with n >= 2 and d >= 1; received shape {samples.shape}")
    sides = np.maximum(np.ptp(samples, axis=0).astype(np.float64), math.sqrt(MIN_VARIANCE))
    log_outlier = -float(np.log(sides).sum())
    center = np.median(samples, axis=0).astype(np.float64)
    whole = _covariance(samples, np.ones(len(samples)))
    distances = _distances(samples, center, _factor(whole))
    inner = _covariance(samples, (distances <= np.median(distances)).astype(np.float64))
    starts = [GaussianFit(center, covariance, FIRST_SHARE) for covariance in (whole, inner)]
    climbs = [_climb(samples, start, log_outlier) for start in starts]
    return max(climbs, key=lambda climb: climb[1])[0]


def _climb(samples: FloatArray, fit: GaussianFit, log_outlier: float) -> tuple[GaussianFit, float]:
    """The fit that expectation maximization reaches from a start, and its mean log likelihood."""
    dimensions = samples.shape[1]
    likelihood = previous = -math.inf
    for _ in range(MAX_STEPS):
        factor = _factor(fit.covariance)
        log_determinant = 2 * float(np.log(np.diag(factor)).sum())
        constant = dimensions * math.log(2 * math.pi) + log_determinant
        log_normal = math.log(fit.share) - (_distances(samples, fit.mean, factor) + constant) / 2
        log_other = math.log1p(-fit.share) + log_outlier if fit.share < 1 else -math.inf
        log_total = np.logaddexp(log_normal, log_other)
        likelihood = float(log_total.mean())
        if abs(likelihood - previous) < TOLERANCE:
            break
        previous = likelihood
        fit = _maximize(samples, np.exp(log_normal - log_total))
    return fit, likelihood


def _maximize(samples: FloatArray, belonging: Float64Array) -> GaussianFit:
    total = float(belonging.sum())
    mean = belonging @ samples / total
    covariance = _covariance(samples, belonging)
    return GaussianFit(mean, covariance, min(max(total / len(samples), MIN_SHARE), 1.0))


def _covariance(samples: FloatArray, weights: Float64Array) -> Float64Array:
    mean = weights @ samples / weights.sum()
    centred = samples - mean
    scatter = (centred * weights[:, None]).T @ centred / weights.sum()
    return np.asarray(scatter + MIN_VARIANCE * np.eye(samples.shape[1]), dtype=np.float64)


def _factor(covariance: Float64Array) -> Float64Array:
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _distances(samples: FloatArray, mean: Float64Array, factor: Float64Array) -> Float64Array:
    whitened = np.linalg.solve(factor, (samples - mean).T)
    return np.asarray(np.einsum("ij,ij->j", whitened, whitened), dtype=np.float64)
