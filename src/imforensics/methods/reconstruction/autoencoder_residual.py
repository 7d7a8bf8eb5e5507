"""Residual autoencoder: places whose fine detail a network of authentic images cannot reconstruct."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.methods.base import BundleMethod, MethodOptions, Reference, describe_too_small
from imforensics.models.autoencoder.bands import GROUP_NAMES
from imforensics.models.autoencoder.bundle import DEFAULT_AUTOENCODER, load_autoencoder
from imforensics.models.autoencoder.error import error_map, log_errors
from imforensics.preprocessing.blocks import find_analysable_blocks, spread_blocks, upsample_blocks
from imforensics.types import Artifact, Finding, LocalizationMap

if TYPE_CHECKING:
    from imforensics.models.autoencoder.bundle import AutoencoderBundle
    from imforensics.models.autoencoder.manifest import ErrorReference
    from imforensics.types import BoolArray, Evidence, FloatArray, JsonValue, UInt8Array

MIN_SIDE = 32  # pixels: two blocks
RUNTIME_THREADS = 2
SCORE_QUANTILE = 0.95
PICTURE_STEP = 32  # gray levels for one standard deviation of the picture's error, around 128


class AutoencoderResidual(BundleMethod):
    """Reconstruction error of high-pass bands against that of authentic images.

    The bundle's network squeezes two Haar levels of Y, Cb and Cr of 8x8 pixels into a few numbers and
    rebuilds them; e is the mean squared difference over blocks of 16 pixels, smoothed twice over 3x3 blocks.
    z = (ln(e + 0.01) - mean) / std of authentic images, for each of six groups of bands. The map is
    1 / (1 + exp(2 - s)), s the mean of z plus the mean of |z - median of the image| over the groups of
    chroma. The score is the distance from the median of the blocks to their 95 % quantile.
    """

    name = "autoencoder_residual"
    family = "reconstruction"
    question = (
        "Are there regions whose fine detail is poorly reconstructed by a network trained on authentic "
        "images?"
    )
    idea = (
        "A small autoencoder was trained on the high-pass bands of luma and chroma of authentic images. It "
        "reconstructs common detail and loses strong or unusual detail; its error is compared with that of "
        "authentic images and, for chroma, with the rest of the same image."
    )
    limitations = (
        "The error follows texture and contrast: hair, grass, text and sharp edges are flagged in any image, "
        "and smooth insertions are missed. Pasted objects are often sharper than their surroundings, which "
        "explains most of its detections: it shows where there is detail, not that something was altered. It "
        "was trained on small JPEG images of one collection; blocks of large photographs are smoother."
    )
    reference = Reference(
        "D. Cozzolino, L. Verdoliva, Single-image splicing localization through autoencoder-based anomaly "
        "detection, IEEE International Workshop on Information Forensics and Security, 2016 (there trained "
        "on the image itself, here on authentic images)",
        doi="10.1109/WIFS.2016.7823921",
    )
    experimental = (
        "Pixel AUC 0.660 on tampered validation images of CASIA v1 recompressed at quality 90, but 0.488 "
        "once the error is corrected for texture and brightness; the centre-prior baseline has 0.671 (python "
        "scripts/experiments/run.py autoencoder)."
    )

    class Options(MethodOptions):
        """Options of the residual autoencoder.

        Attributes:
            bundle: name of a shipped bundle, or path of a folder with one (with a path separator in it).
        """

        bundle: str = Field(
            DEFAULT_AUTOENCODER, min_length=1, description="shipped bundle's name, or path of a folder"
        )

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Reconstruct the residual bands and mark where that fails more than in authentic images."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        reference = self._reference
        valid = find_analysable_blocks(evidence.pixels, block=reference.block)
        if not valid.any():
            return self._decline("Flat or saturated all over: there is no detail to reconstruct.")
        logs = log_errors(self._bundle.block_errors(evidence.pixels, block=reference.block), valid)
        return self._report(logs, valid, (evidence.height, evidence.width))

    @cached_property
    def _bundle(self) -> AutoencoderBundle:
        return load_autoencoder(self.options.bundle, threads=RUNTIME_THREADS)

    @property
    def _reference(self) -> ErrorReference:
        reference = self._bundle.manifest.reference
        if reference is None:
            raise ValueError(
                f"{self._bundle.name} has no reference of authentic images: its input is "
                f"{self._bundle.manifest.content}. Name a bundle trained with data.content=residual"
            )
        return reference

    def _report(self, logs: FloatArray, valid: BoolArray, shape: tuple[int, int]) -> Finding:
        reference = self._reference
        blocks = error_map(logs, valid, reference)
        values = upsample_blocks(blocks, shape, block=reference.block)
        can_tell = spread_blocks(valid, shape, block=reference.block)
        mask = (values >= reference.threshold) & can_tell
        typical, high = (float(value) for value in np.quantile(blocks[valid], (0.5, SCORE_QUANTILE)))
        share = float(mask.sum() / can_tell.sum())
        caption = (
            f"Reconstruction error of the residual bands in blocks of {reference.block} pixels; fixed scale: "
            f"mid-gray = the mean of authentic images, one standard deviation = {PICTURE_STEP} gray levels"
        )
        return Finding(
            self.name,
            self.family,
            "ok",
            score=high - typical,
            map=LocalizationMap(values, can_tell),
            mask_source=mask,
            threshold=reference.threshold,
            threshold_policy=reference.threshold_policy,
            artifacts={"error": Artifact(_draw(logs, reference, shape), caption)},
            observations=_observe(logs, valid, reference, share),
            notes=(
                f"{share:.1%} of what can be analysed is above the threshold, which 2 % of the pixels of "
                "authentic images exceed.",
                "The error follows texture: compare like with like. The score, how uneven the map is, is a "
                "heuristic without calibration.",
                f"Bundle {self._bundle.name}; reference: {reference.population}.",
            ),
        )


def _observe(
    logs: FloatArray, valid: BoolArray, reference: ErrorReference, share: float
) -> dict[str, JsonValue]:
    """The image's typical error, in standard deviations of authentic images, and how much is marked."""
    z = (np.median(logs[valid], axis=0) - reference.log_mean) / reference.log_std
    typical: dict[str, JsonValue] = {
        name: round(float(value), 3) for name, value in zip(GROUP_NAMES, z, strict=True)
    }
    return {
        "typical_error": typical,
        "marked_share": round(share, 4),
        "analysable_share": round(float(valid.mean()), 4),
    }


def _draw(logs: FloatArray, reference: ErrorReference, shape: tuple[int, int]) -> UInt8Array:
    z = ((logs - np.array(reference.log_mean)) / np.array(reference.log_std)).mean(axis=-1)
    levels = np.clip(128 + PICTURE_STEP * z, 0, 255).astype(np.float32)
    return upsample_blocks(levels, shape, block=reference.block).astype(np.uint8)
