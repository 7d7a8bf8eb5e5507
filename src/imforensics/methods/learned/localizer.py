"""The trained localizer: where a picture's traces of compression and noise do not belong together."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from imforensics.evidence.luma import BLOCK
from imforensics.methods.base import BundleMethod, MethodOptions, Reference, describe_too_small
from imforensics.models.localizer.bundle import DEFAULT_LOCALIZER, load_localizer
from imforensics.models.localizer.evidence import read_traces
from imforensics.preprocessing.blocks import find_analysable_blocks, share_reached, upsample_blocks
from imforensics.types import CONDITIONS_KEY, OUTSIDE_KEY, Artifact, Finding, LocalizationMap

if TYPE_CHECKING:
    from imforensics.metrics.calibration import Calibration
    from imforensics.models.localizer.bundle import LocalizerBundle
    from imforensics.models.localizer.manifest import LocalizerManifest
    from imforensics.models.localizer.runtime import BlockMaps
    from imforensics.types import Evidence, JsonValue

MIN_SIDE = 64  # pixels: eight blocks; the network learned from pictures of a few hundred
RUNTIME_THREADS = 2
PICTURE_PIXELS = 1_000_000  # of the reliability picture, at most
NO_TRACES_NOTE = (
    "The file is not a JPEG, and no JPEG was inferred from its pixels: there are no compression traces to "
    "analyse, and the map is based on pixels only."
)


class LearnedLocalizer(BundleMethod):
    """A shipped or own bundle of kind "localizer", as `train-detector` makes it.

    The map is the network's probability for each 8x8 block, brought to pixels by bilinear interpolation; the
    score is its own output for the picture as a whole. There is an opinion only for evidence within the
    conditions that the bundle was calibrated on.
    """

    name = "localizer"
    family = "learned"
    reads_inferred_jpeg = True
    question = (
        "Are there regions whose compression and noise traces are inconsistent with the rest of the picture?"
    )
    idea = (
        "The input of a convolutional network is, for each 8x8 block, how well its quantized DCT "
        "coefficients follow the picture's own histograms, and the high-pass noise of its pixels, at native "
        "resolution. The network compares every block with its surroundings and with the whole picture. It "
        "was trained on forgeries and their matched controls."
    )
    limitations = (
        "Regions copied within the same picture share its history and may be missed. Strong recompression, "
        "resizing or a screenshot of the whole picture destroys the traces. Unusual but authentic texture, "
        "sharp edges, text and blurred backgrounds can be flagged. It does not detect pictures that were "
        "generated as a whole."
    )
    reference = Reference(
        "M.-J. Kwon, S.-H. Nam, I.-J. Yu, H.-K. Lee, C. Kim, Learning JPEG compression artifacts for image "
        "manipulation detection and localization (CAT-Net), International Journal of Computer Vision 130, "
        "2022; and, for noise and the reliability map, F. Guillaro, D. Cozzolino, A. Sud, N. Dufour, L. "
        "Verdoliva, TruFor, CVPR 2023, doi:10.1109/CVPR52729.2023.01974: related networks, not these",
        doi="10.1007/s11263-022-01617-5",
    )

    class Options(MethodOptions):
        """Options of the trained localizer.

        Attributes:
            bundle: name of a shipped bundle, or path of a folder with one (with a path separator in it).
        """

        bundle: str = Field(
            DEFAULT_LOCALIZER, min_length=1, description="shipped bundle's name, or path of a folder"
        )

    options: Options

    @property
    def calibration(self) -> Calibration | None:
        """That of the bundle."""
        return self._bundle.manifest.calibration

    def analyze(self, evidence: Evidence) -> Finding:
        """Read the traces, run the network, mark what does not belong."""
        if min(evidence.height, evidence.width) < MIN_SIDE:
            return self._decline(describe_too_small(evidence, MIN_SIDE))
        if not find_analysable_blocks(evidence.pixels, block=BLOCK).any():
            return self._decline("The image is flat or saturated everywhere: nothing can be analysed.")
        maps, is_read, absent_because = self._localize(evidence)
        outside = self._find_mismatch(evidence, absent_because)
        notes = [_describe_performance(self._bundle.manifest)]
        if evidence.jpeg is None:
            notes.append(NO_TRACES_NOTE)
        if outside:
            notes.append(f"No opinion: {'; '.join(outside)}.")
        observations: dict[str, JsonValue] = {"has_traces": is_read, OUTSIDE_KEY: list(outside)}
        if outside and absent_because is None and self.calibration is not None:
            observations[CONDITIONS_KEY] = True
        return self._report(evidence, maps, observations, notes)

    def _localize(self, evidence: Evidence) -> tuple[BlockMaps, bool, str | None]:
        """Maps, and what is known of the traces; these themselves, 140 bytes a block, are not kept."""
        read = read_traces(evidence)
        maps = self._bundle.localize(read.traces, evidence.pixels)
        return maps, read.is_read, read.absent_because

    @cached_property
    def _bundle(self) -> LocalizerBundle:
        return load_localizer(self.options.bundle, threads=RUNTIME_THREADS)

    def _find_mismatch(self, evidence: Evidence, absent_because: str | None) -> tuple[str, ...]:
        calibration = self._bundle.manifest.calibration
        if calibration is None:
            return ("the bundle is not calibrated",)
        clauses = calibration.describe_mismatch(
            height=evidence.height, width=evidence.width, is_jpeg=evidence.jpeg is not None
        )
        return clauses if absent_because is None else (*clauses, absent_because)

    def _report(
        self,
        evidence: Evidence,
        maps: BlockMaps,
        observations: dict[str, JsonValue],
        notes: list[str],
    ) -> Finding:
        manifest = self._bundle.manifest
        calibration, threshold = manifest.calibration, manifest.map_threshold
        shape = (evidence.height, evidence.width)
        map_ = LocalizationMap(partial(upsample_blocks, maps.marks, shape, block=BLOCK))
        marked = share_reached(maps.marks, shape, block=BLOCK, threshold=threshold.value)
        has_opinion = calibration is not None and not observations[OUTSIDE_KEY]
        return Finding(
            self.name,
            self.family,
            "ok",
            score=maps.score,
            map=map_,
            mask_source=partial(map_.reach, threshold.value),
            threshold=threshold.value,
            threshold_policy=threshold.policy,
            opinion=calibration.opinion(maps.score) if calibration and has_opinion else None,
            artifacts={"reliability": _draw_reliability(maps)},
            observations={
                "bundle": manifest.name,
                "streams": list(manifest.network.streams),
                **observations,
                **_observe(maps, threshold.value),
                "marked_share": round(marked, 5),
            },
            notes=tuple(notes),
        )


def _observe(maps: BlockMaps, threshold: float) -> dict[str, JsonValue]:
    """Figures of blocks; those of no block are None."""
    marked = maps.marks >= threshold
    apart = {"reliability_marked": marked, "reliability_elsewhere": ~marked}
    means: dict[str, JsonValue] = {
        name: round(float(maps.reliability[part].mean(dtype=np.float64)), 4) if part.any() else None
        for name, part in apart.items()
    }
    return {
        "largest_probability": round(float(maps.marks.max()), 4),
        **means,
    }


def _draw_reliability(maps: BlockMaps) -> Artifact:
    """The reliability at up to a megapixel: blocks become 1 to 8 pixels a side."""
    rows, columns = maps.reliability.shape
    side = int(np.clip((PICTURE_PIXELS / (rows * columns)) ** 0.5, 1, BLOCK))
    values = upsample_blocks(maps.reliability, (rows * side, columns * side), block=side)
    caption = (
        "How far the map can be relied on, as the network says: probability that it is right, fixed scale "
        "from 0 (black) to 1 (white)"
    )
    return Artifact(np.rint(values * 255).astype(np.uint8), caption)


def _describe_performance(manifest: LocalizerManifest) -> str:
    """Performance of map and score where only the alteration differs, from the bundle's own test."""
    twin = manifest.find_measurement("twin")
    if twin is None:
        return "The performance of the map and the score on matched controls was not measured."
    figures = [
        f"{words} {twin.metrics[name]:.2f}" + _interval(twin.intervals.get(name))
        for name, words in (
            ("pixel_auc", "pixel AUC"),
            ("f1_fixed", "F1 at the threshold"),
            ("image_auc", "AUC of the score"),
        )
        if name in twin.metrics
    ]
    return (
        f"On {twin.n_tampered} tampered test images of {twin.dataset} and their matched controls: "
        f"{', '.join(figures)} (an AUC of 0.5 is chance)."
    )


def _interval(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f" [{bounds[0]:.2f}, {bounds[1]:.2f}]"
