"""How far generated images are from photographs, and whether they are all the same; nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np

from imforensics.types import FloatArray

FILTERS = (32, 64, 96)  # channels of the random convolutions, each followed by a halving
KERNEL_SEED = 1  # the features are a fixed reference: never the run's own seed
PROTOTYPE_SIDE = 32  # rows and columns of the small copies that diversity is measured on
FEATURE_BATCH = 32
STATED_FEATURES = (
    "mean and standard deviation of the responses of fixed random 4x4 convolutions (32, 64, 96 channels, "
    "rectified, strided) to the images"
)


def random_features(images: FloatArray) -> FloatArray:
    """Features of a fixed random convolutional network, which needs no training and no download.

    Args:
        images: (N, H, W, 3) float32 in [0, 1], H and W at least 16.

    Returns:
        (N, 384) float32: mean and standard deviation of each channel of three layers.

    Reference:
        Random convolutional features tell image distributions apart: Naeem et al., Reliable Fidelity and
        Diversity Metrics for Generative Models, ICML 2020, arXiv 2002.09797, section 4.3.
    """
    import tensorflow as tf

    generator = np.random.default_rng(KERNEL_SEED)
    kernels, channels = [], 3
    for filters in FILTERS:
        kernel = generator.standard_normal((4, 4, channels, filters)) * np.sqrt(2 / (16 * channels))
        kernels.append(tf.constant(kernel, tf.float32))
        channels = filters
    parts = []
    for start in range(0, len(images), FEATURE_BATCH):
        x: Any = 2 * tf.constant(images[start : start + FEATURE_BATCH]) - 1
        found = []
        for kernel in kernels:
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides=2, padding="SAME"))
            found += [tf.reduce_mean(x, (1, 2)), tf.math.reduce_std(x, (1, 2))]
        parts.append(tf.concat(found, 1).numpy())
    return np.concatenate(parts)


def kernel_distance(first: FloatArray, second: FloatArray, *, scale: FloatArray | None = None) -> float:
    """Squared maximum mean discrepancy with the cubic polynomial kernel, unbiased (the KID's formula).

    Args:
        first: (N, F) features, N >= 2.
        second: (M, F) features, M >= 2.
        scale: (2, F): mean and standard deviation that features are standardized with; None takes them of
            `second`.

    Returns:
        0 in the mean for samples of one distribution (it may be slightly negative), larger for others.

    Raises:
        ValueError: fewer than two images on a side.

    Reference:
        Binkowski et al., Demystifying MMD GANs, ICLR 2018, arXiv 1801.01401, eq. 3-4.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(
            f"Expected at least two images on each side; received {len(first)} and {len(second)}"
        )
    mean, spread = feature_scale(second) if scale is None else scale
    x, y = ((part.astype(np.float64) - mean) / spread for part in (first, second))
    n, m, dimension = len(x), len(y), x.shape[1]

    def kernel(a: np.ndarray, b: np.ndarray) -> Any:
        return (a @ b.T / dimension + 1) ** 3

    within_x, within_y = kernel(x, x), kernel(y, y)
    return float(
        (within_x.sum() - np.trace(within_x)) / (n * (n - 1))
        + (within_y.sum() - np.trace(within_y)) / (m * (m - 1))
        - 2 * kernel(x, y).mean()
    )


def feature_scale(features: FloatArray) -> FloatArray:
    """(2, F): mean and standard deviation of each feature; of a constant one the latter counts as 1."""
    spread = features.std(0)
    return np.stack([features.mean(0), np.where(spread > 1e-6, spread, 1)])


def mean_distance(images: FloatArray) -> float:
    """Mean distance of pairs of images, as the root mean square difference of small copies.

    Args:
        images: (N, H, W, 3) float32 in [0, 1], N >= 2, H and W multiples of 32 or at most 32.

    Returns:
        >= 0, in the unit of the pixels; 0 where all are the same.

    Raises:
        ValueError: fewer than two images.
    """
    if len(images) < 2:
        raise ValueError(f"Expected at least two images; received {len(images)}")
    step = max(images.shape[1] // PROTOTYPE_SIDE, 1)
    count, height, width, channels = images.shape
    small = images.reshape(count, height // step, step, width // step, step, channels).mean((2, 4))
    flat = small.reshape(count, -1).astype(np.float64)
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * flat @ flat.T
    upper = np.triu_indices(count, 1)
    return float(np.sqrt(np.maximum(distances[upper], 0) / flat.shape[1]).mean())
