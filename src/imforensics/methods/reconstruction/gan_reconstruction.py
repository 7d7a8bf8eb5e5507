"""GAN reconstruction: what a generator of authentic photographs cannot make stands out."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.errors import BundleError
from imforensics.methods.base import BundleMethod, MethodOptions, Reference, describe_too_small
from imforensics.models.gan.error import ErrorKind, image_errors, whole_error
from imforensics.models.gan.manifest import ReconstructionMode, View
from imforensics.models.gan.reconstruction import DEFAULT_GAN_BUNDLE, load_reconstructor
from imforensics.types import Artifact, Evidence, Finding, LocalizationMap

if TYPE_CHECKING:
    from imforensics.models.gan.manifest import ErrorScale
    from imforensics.models.gan.reconstruction import Reconstructor
    from imforensics.types import FloatArray

MIN_SIDE = 64  # half of what the networks see: below, most of what they are shown is interpolation
MAX_PATCHES = 200  # a second of network time for ten or so; larger photographs are seen whole
RUNTIME_THREADS = 1  # a scan already has one process a core
SCORE_QUANTILE = 0.95  # of the map: a region of a twentieth of the image is enough
PICTURE_SCALE = 0.5  # an error of this shows white
SEED = 0  # of the modes that draw random vectors


class GanReconstruction(BundleMethod):
    """Distance of an image to its reconstruction by a GAN bundle, as `train-gan` makes it.

    map = error / (error + threshold): 0.5 where the error is the one that 2 % of the pixels of authentic
    validation images exceed. The score is the map's 95 % quantile.
    """

    name = "gan_reconstruction"
    family = "reconstruction"
    question = "Are there regions that a generator of authentic photographs cannot reproduce?"
    idea = (
        "A generative adversarial network was trained only on authentic photographs. An encoder finds the "
        "noise vector whose image is closest to this one. Where image and reconstruction differ by more than "
        "they do in authentic photographs, there is content that the generator has not learned."
    )
    limitations = (
        "The reconstruction is coarse: small or bright objects, text and strong texture differ from it in "
        "any photograph, tampered or not, and a region pasted from another photograph is as photographic as "
        "the rest. The generator has learned the scenes of one small collection. Do not rely on this method "
        "alone."
    )
    reference = Reference(
        "T. Schlegl, P. Seeböck, S. M. Waldstein, G. Langs, U. Schmidt-Erfurth, f-AnoGAN: Fast unsupervised "
        "anomaly detection with generative adversarial networks, Medical Image Analysis 54, 2019",
        doi="10.1016/j.media.2019.01.010",
    )
    experimental = (
        "Pixel AUC 0.625 [0.580, 0.676] on CASIA v1's test split, below the centre-prior baseline (0.672), "
        "image AUC 0.51 on matched controls: imforensics evaluate --method gan_reconstruction --dataset "
        "casia1 --split test --protocol twin"
    )

    class Options(MethodOptions):
        """Options of the GAN reconstruction.

        Attributes:
            bundle: name of a shipped bundle, or path of a folder with one (with a path separator in it).
            mode: how the noise vector is found: "noise", "search", "encoder" or "encoder+search".
            view: "whole" resizes the image to what the networks know, "patches" goes over it at native
                resolution; the shipped bundle has thresholds of "patches" for "encoder" alone.
            kind: of the error: "absolute" or "ssim" (structural dissimilarity).
        """

        bundle: str = Field(DEFAULT_GAN_BUNDLE, min_length=1)
        mode: ReconstructionMode = "encoder"
        view: View = "whole"
        kind: ErrorKind = "ssim"

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Reconstruct the image and mark where it differs."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        if self.options.view == "patches":
            windows = self._bundle.windows(evidence.height, evidence.width)
            if len(windows) > MAX_PATCHES:
                return self._decline(
                    f"The image is {evidence.width}x{evidence.height} pixels, {len(windows)} patches; at "
                    f"most {MAX_PATCHES} are reconstructed. Set view to whole."
                )
        options = self.options
        small = self._bundle.shrink(evidence.pixels)
        made = self._bundle.reconstruct(small[np.newaxis], mode=options.mode, seed=SEED)[0]
        if options.view == "whole":
            errors = whole_error(small, made, (evidence.height, evidence.width), options.kind)
        else:
            (errors,) = image_errors(
                self._bundle,
                evidence.pixels,
                mode=options.mode,
                view=options.view,
                kinds=[options.kind],
                seed=SEED,
            )
        return self._report(errors, _draw_whole(small, made))

    @cached_property
    def _bundle(self) -> Reconstructor:
        return load_reconstructor(self.options.bundle, threads=RUNTIME_THREADS)

    @cached_property
    def _scale(self) -> ErrorScale:
        options, manifest = self.options, self._bundle.bundle.manifest
        scale = manifest.find_scale(mode=options.mode, view=options.view, kind=options.kind)
        if scale is None:
            known = "; ".join(f"{item.mode}, {item.view}, {item.kind}" for item in manifest.error_scales)
            raise BundleError(
                f"{manifest.name} has no threshold for {options.mode}, {options.view}, {options.kind}. It "
                f"has (mode, view, kind): {known or 'none'}. Choose one."
            )
        return scale

    def _report(self, errors: FloatArray, picture: Artifact) -> Finding:
        scale, options = self._scale, self.options
        marks = np.asarray(errors / (errors + np.float32(scale.threshold)), dtype=np.float32)
        mask = marks >= 0.5
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(np.quantile(marks, SCORE_QUANTILE)),
            map=LocalizationMap(marks),
            mask_source=mask,
            threshold=0.5,
            threshold_policy=scale.policy,
            artifacts={"reconstruction": picture},
            observations={
                "bundle": self._bundle.name,
                "mode": options.mode,
                "view": options.view,
                "error": options.kind,
                "mean_error": round(float(errors.mean(dtype=np.float64)), 5),
                "error_threshold": round(scale.threshold, 5),
                "marked_share": round(float(mask.mean()), 5),
            },
            notes=(
                f"Flagged: error above {scale.threshold:.3f}, exceeded by 2 % of the pixels of authentic "
                "validation images.",
            ),
        )


def _draw_whole(small: FloatArray, made: FloatArray) -> Artifact:
    """Image, reconstruction and their difference side by side, at the networks' size."""
    difference = np.abs(small - made) / np.float32(PICTURE_SCALE)
    strip = np.concatenate([small, made, difference], axis=1)
    pixels = np.rint(np.clip(strip, 0, 1) * 255).astype(np.uint8)
    caption = (
        f"The image at {small.shape[1]}x{small.shape[0]}, its reconstruction, and their difference "
        f"on a fixed scale: white from {PICTURE_SCALE:.0%} of the range on"
    )
    return Artifact(pixels, caption)
