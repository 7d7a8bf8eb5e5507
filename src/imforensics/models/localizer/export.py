"""From a trained localizer to the three files that the runtime loads, and the check that they do the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imforensics.errors import BundleError
from imforensics.models.bundle.layers import part_graph, read_weights
from imforensics.models.localizer.bundle import start_runtime
from imforensics.models.localizer.manifest import ExportDifference
from imforensics.models.localizer.runtime import OUTPUTS, PARTS, BlockMaps, WindowSizes
from imforensics.preprocessing.logistic import logistic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imforensics.models.localizer.inputs import LocalizerInput
    from imforensics.models.localizer.network import Localizer
    from imforensics.models.localizer.runtime import LocalizerRuntime
    from imforensics.types import FloatArray

TOLERANCE = 1e-4  # of probabilities; float32 sums in another order differ by about 1e-6
CHECKED_WINDOWS = WindowSizes(stem=5, trunk=7)  # so small that the smallest training picture needs several


@dataclass(frozen=True, slots=True)
class ExportedLocalizer:
    """A network as it is shipped, checked against the trained one.

    Attributes:
        parts: ONNX models.
        reach: blocks beyond a window that stem and trunk look at.
        parameters: number of weights.
        difference: to the trained network.
    """

    parts: Mapping[str, bytes]
    reach: tuple[int, int]
    parameters: int
    difference: ExportDifference

    def start(self, *, uses_peak: bool = False, threads: int | None = None) -> LocalizerRuntime:
        """The runtime that ships, for thresholds and calibration to be measured on."""
        return start_runtime(self.parts, self.reach, uses_peak=uses_peak, threads=threads)


def export_localizer(localizer: Localizer, pictures: Sequence[LocalizerInput]) -> ExportedLocalizer:
    """Export a trained localizer, and check that windows of the export say what the whole network says.

    Args:
        localizer: trained, in float32.
        pictures: to compare on, at least one; of 64 pixels a side or more, for several windows each.

    Raises:
        BundleError: the network has a layer that the export does not know, or a difference is too large.
    """
    parts = write_parts(localizer)
    difference = compare_export(localizer, parts, pictures)
    return ExportedLocalizer(parts, localizer.reach, localizer.whole.count_params(), difference)


def write_parts(localizer: Localizer) -> dict[str, bytes]:
    """Stem, trunk and scorer as ONNX.

    Raises:
        BundleError: the network has a layer that the export does not know.
    """
    models = {"stem": localizer.stem, "trunk": localizer.trunk, "scorer": localizer.scorer}
    return {part: part_graph(models[part], OUTPUTS[part]) for part in PARTS}


def read_parts(localizer: Localizer, parts: Mapping[str, bytes]) -> None:
    """Give a network the weights of one that was exported.

    Raises:
        BundleError: it has another shape.
    """
    models = {"stem": localizer.stem, "trunk": localizer.trunk, "scorer": localizer.scorer}
    for part in PARTS:
        read_weights(models[part], parts[part])


def compare_export(
    localizer: Localizer,
    parts: Mapping[str, bytes],
    pictures: Sequence[LocalizerInput],
    *,
    windows: WindowSizes = CHECKED_WINDOWS,
) -> ExportDifference:
    """Largest differences between Keras on whole pictures and the exported parts on windows of them.

    Args:
        localizer: trained, in float32.
        parts: exported.
        pictures: at least one; some larger than the windows.
        windows: of the exported parts.

    Raises:
        BundleError: a difference is above TOLERANCE.
        ValueError: no pictures.
    """
    if not pictures:
        raise ValueError("Expected at least one picture to compare on; received none.")
    runtime = start_runtime(parts, localizer.reach)
    differences = np.zeros(3)
    for picture in pictures:
        made = runtime.localize(picture.traces, picture.pixels, windows=windows)
        trained = _run_keras(localizer, picture)
        found = (
            np.abs(made.marks - trained.marks).max(),
            np.abs(made.reliability - trained.reliability).max(),
            abs(made.score - trained.score),
        )
        differences = np.maximum(differences, found)
    if not differences.max() <= TOLERANCE:
        raise BundleError(
            "The exported network, run on windows, differs from the trained one on whole pictures by "
            f"{differences[0]:.1e} (map), {differences[1]:.1e} (reliability), {differences[2]:.1e} (score); "
            f"expected at most {TOLERANCE:.0e}. Report this with the configuration."
        )
    by_name = dict(zip(("map", "reliability", "score"), map(float, differences), strict=True))
    return ExportDifference(**by_name, pictures=len(pictures))


def _run_keras(localizer: Localizer, picture: LocalizerInput) -> BlockMaps:
    inputs: list[FloatArray] = [
        np.asarray(picture.traces.values, np.float32)[np.newaxis],
        picture.traces.table[np.newaxis],
        np.asarray(picture.pixels, np.float32)[np.newaxis],
    ]
    marks, reliability, score = (
        logistic(np.asarray(output)) for output in localizer.whole(inputs, training=False)
    )
    return BlockMaps(marks[0, ..., 0], reliability[0, ..., 0], float(score[0, 0]))
