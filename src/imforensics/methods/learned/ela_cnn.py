"""The paper's detector: a trained convolutional network over a small picture of traces."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field

from imforensics.methods.base import BundleMethod, MethodOptions, Reference
from imforensics.models.classifier.bundle import load_bundle
from imforensics.preprocessing.inputs import build_network_input
from imforensics.preprocessing.jpeg import MAX_SIDE
from imforensics.types import CONDITIONS_KEY, OUTSIDE_KEY, Finding

if TYPE_CHECKING:
    from imforensics.metrics.calibration import Calibration
    from imforensics.models.classifier.bundle import Bundle
    from imforensics.models.classifier.manifest import Measurement
    from imforensics.types import Evidence, FloatArray

DEFAULT_BUNDLE = "casia1_ela_cnn_twin"
MIN_SIDE = 64  # half the network's input: below, most of what it is shown is interpolation
RUNTIME_THREADS = 1  # the network takes milliseconds; a scan already has one process a core
NO_MAP_NOTE = "It gives one score for the whole image, at a small fixed size, and no location."


class ElaCnn(BundleMethod):
    """A shipped or own bundle of kind "classifier", as `train-detector` makes it.

    The score is the network's output; its performance is in the bundle and in the notes. There is
    an opinion only for evidence within the conditions that the bundle was calibrated on.
    """

    name = "ela_cnn"
    family = "learned"
    question = "Does a network trained on tampered images classify this image as tampered?"
    idea = (
        "The error level residual (or another trace, as specified in the bundle) is computed at native size, "
        "resized to a small fixed size and classified by a convolutional network trained on authentic and "
        "tampered images. The default bundle was trained on forgeries and their matched controls."
    )
    limitations = (
        "Resizing destroys most traces, and more of them in larger photographs. The network was trained on "
        "the splices and copy-moves of one collection of small JPEG images; on other images its score may be "
        "meaningless. It does not localize, and it does not detect removals, global edits or generated "
        "images."
    )
    reference = Reference(
        "Nimma et al., International Journal of Intelligent Systems and Applications in Engineering, 2024 "
        "(no DOI)"
    )

    class Options(MethodOptions):
        """Options of the trained detector.

        Attributes:
            bundle: name of a shipped bundle, or path of a folder with one (with a path separator in it).
        """

        bundle: str = Field(
            DEFAULT_BUNDLE, min_length=1, description="shipped bundle's name, or path of a folder"
        )

    options: Options

    @property
    def calibration(self) -> Calibration | None:
        """That of the bundle."""
        return self._bundle.manifest.calibration

    def analyze(self, evidence: Evidence) -> Finding:
        """Score the image; give an opinion where the bundle's calibration covers it."""
        sides = (evidence.height, evidence.width)
        if min(sides) < MIN_SIDE or max(sides) > MAX_SIDE:
            reason = (
                f"The image is {evidence.width}x{evidence.height} pixels; the trained detector needs "
                f"{MIN_SIDE} to {MAX_SIDE} on each side."
            )
            return self._decline(reason)
        score = float(self._bundle.predict(self._build_input(evidence)[None])[0])
        return self._report(evidence, score)

    @cached_property
    def _bundle(self) -> Bundle:
        return load_bundle(self.options.bundle, threads=RUNTIME_THREADS)

    def _build_input(self, evidence: Evidence) -> FloatArray:
        spec = self._bundle.manifest.input
        return build_network_input(
            evidence.pixels, spec.kind, size=(spec.height, spec.width), ela_quality=spec.ela_quality
        )

    def _report(self, evidence: Evidence, score: float) -> Finding:
        manifest = self._bundle.manifest
        calibration = manifest.calibration
        mismatch = calibration.describe_mismatch(
            height=evidence.height, width=evidence.width, is_jpeg=evidence.jpeg is not None
        )
        twins = manifest.find_measurement("exact_twin") or manifest.find_measurement("twin")
        notes = [_describe_performance(twins), NO_MAP_NOTE]
        if mismatch:
            notes.append(f"No opinion: {'; '.join(mismatch)}.")
        return Finding(
            self.name,
            self.family,
            "ok",
            score=score,
            opinion=None if mismatch else calibration.opinion(score),
            observations={
                "bundle": manifest.name,
                "input": manifest.input.kind,
                "input_size": [manifest.input.height, manifest.input.width],
                OUTSIDE_KEY: list(mismatch),
                **({CONDITIONS_KEY: True} if mismatch else {}),
            },
            notes=tuple(notes),
        )


def _describe_performance(twin: Measurement | None) -> str:
    """Performance of the score where only the alteration differs, from the bundle's own test."""
    if twin is None:
        return "The performance of this score on matched controls was not measured."
    low, high = twin.intervals["auc"]
    clearly = low > 0.5
    verdict = (
        "better than chance, within these bounds"
        if clearly
        else "not clearly better than chance: do not rely on it"
    )
    return (
        f"On {twin.n_tampered} tampered test images and their matched controls, the score has AUC "
        f"{twin.metrics['auc']:.2f} (95 % interval {low:.2f} to {high:.2f}; 0.5 is chance): {verdict}."
    )
