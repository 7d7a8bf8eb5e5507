"""From block errors of a residual autoencoder to one map: how far above what authentic images show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.autoencoder.bands import GROUP_NAMES
from imforensics.models.autoencoder.manifest import ErrorReference
from imforensics.preprocessing.blocks import find_analysable_blocks, smooth_blocks
from imforensics.preprocessing.logistic import logistic

if TYPE_CHECKING:
    from imforensics.models.autoencoder.bundle import AutoencoderBundle
    from imforensics.types import BoolArray, FloatArray, UInt8Array

# Chosen on tampered training images of CASIA v1 at quality 90: docs/experiments/reconstruction.md
ERROR_BLOCK = 16  # pixels
CHROMA_WEIGHT = 1.0  # of deviations of chroma in either direction beside the errors themselves
FLOOR = 0.01  # of an error, in variances of the bands: below lies rounding
HALF_WAY = 2.0  # standard deviations at which the map reads 0.5
SHARE = 0.02  # of the pixels of authentic images lie beyond the threshold
POLICY = "far_2pct"
_CHROMA = [index for index, name in enumerate(GROUP_NAMES) if not name.endswith("Y")]


def log_errors(errors: FloatArray, valid: BoolArray) -> FloatArray:
    """ln(error) of blocks smoothed twice over 3x3 of them, those that are valid only.

    Args:
        errors: (h, w, 6) float32 >= 0, as `AutoencoderBundle.block_errors` gives them.
        valid: (h, w) bool.

    Returns:
        (h, w, 6) float32; where nothing valid is near, ln(FLOOR).
    """
    weights = valid.astype(np.float32)
    reach = smooth_blocks(weights)
    smooth = [
        smooth_blocks(smooth_blocks(plane, weights=weights), weights=reach) for plane in _planes(errors)
    ]
    return np.asarray(np.log(np.stack(smooth, axis=-1) + np.float32(FLOOR)), np.float32)


def error_map(logs: FloatArray, valid: BoolArray, reference: ErrorReference) -> FloatArray:
    """One value a block from the errors of the six groups of bands.

    z = (ln(error) - mean) / std of authentic images, for each group. The statistic is the mean of z plus the
    mean of |z - median of the image| over the four groups of chroma; the map 1 / (1 + exp(2 - statistic)).

    Args:
        logs: (h, w, 6) float32 from `log_errors`.
        valid: (h, w) bool, at least one True.
        reference: of authentic images.

    Returns:
        (h, w) float32 in [0, 1], higher = more likely tampered.
    """
    z = (logs - np.array(reference.log_mean, np.float32)) / np.array(reference.log_std, np.float32)
    chroma = z[..., _CHROMA]
    aside = np.abs(chroma - np.median(chroma[valid], axis=0)).mean(axis=-1)
    statistic = z.mean(axis=-1) + np.float32(CHROMA_WEIGHT) * aside
    return logistic(statistic - HALF_WAY)


def measure_reference(
    bundle: AutoencoderBundle, images: Iterable[UInt8Array], *, population: str
) -> ErrorReference:
    """What authentic images show, and the threshold that a share of their pixels exceeds.

    Args:
        bundle: residual autoencoder, exported.
        images: (H, W, 3) uint8 RGB authentic images, none of them learned from.
        population: what they are, with counts.

    Returns:
        The reference; every image counts alike, whatever its size.

    Raises:
        ValueError: no image has anything to analyse.
    """
    found: list[tuple[FloatArray, BoolArray]] = []
    for pixels in images:
        valid = find_analysable_blocks(pixels, block=ERROR_BLOCK)
        if valid.any():
            found.append((log_errors(bundle.block_errors(pixels, block=ERROR_BLOCK), valid), valid))
    if not found:
        raise ValueError("Expected authentic images with something to analyse; received none")
    means = np.mean([logs[valid].mean(axis=0) for logs, valid in found], axis=0)
    squares = np.mean([np.square(logs[valid] - means).mean(axis=0) for logs, valid in found], axis=0)
    draft = ErrorReference(
        block=ERROR_BLOCK,
        log_mean=tuple(float(value) for value in means),
        log_std=tuple(float(value) for value in np.sqrt(np.maximum(squares, 1e-6))),
        threshold=0.5,
        threshold_policy=POLICY,
        population=population,
    )
    levels = np.linspace(0, 1, 201)
    quantiles = [
        np.quantile(error_map(logs, valid, draft)[valid], levels) for logs, valid in found
    ]  # of each image, so that a large one does not outweigh a small one
    threshold = float(np.quantile(np.concatenate(quantiles), 1 - SHARE))
    return draft.model_copy(update={"threshold": min(max(threshold, 1e-6), 1 - 1e-6)})


def _planes(errors: FloatArray) -> list[FloatArray]:
    return [np.ascontiguousarray(errors[..., index]) for index in range(errors.shape[-1])]
