"""The localizer on pictures of any size, window by window, to the same map as in one pass.

The network's whole-picture parts (typical traces, mean of the features, largest and mean of the context) are
gathered over windows of whole blocks; what a window's border would change is cut off. Convolutions therefore
meet their zero padding at the picture's real borders only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from imforensics.evidence.luma import BLOCK
from imforensics.models.localizer.inputs import pad_to_blocks
from imforensics.models.localizer.traces import BlockTraces
from imforensics.preprocessing.logistic import logistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imforensics.types import FloatArray, UInt8Array

Part = Literal["stem", "trunk", "scorer"]
PARTS: tuple[Part, ...] = get_args(Part)
OUTPUTS: dict[Part, tuple[str, ...]] = {
    "stem": ("features",),
    "trunk": ("map", "reliability", "context"),
    "scorer": ("score",),
}
Slices = tuple[slice, slice]

STEM_WINDOW = 96  # blocks a side, without what is cut off: about 100 MB at work
TRUNK_WINDOW = 192  # likewise; it looks further, and smaller windows do more twice
BRIGHTEST, DARKEST = 254, 1  # from these on a sample of a picture counts as clipped
CLIPPED_SHARE = 0.3  # of a block's pixels, from which on it is not trusted at all
CLIPPED_LOSS = 3.0  # of its logit, chosen on the validation devices
EXACT_BYTES = (
    80_000_000  # of features: larger pictures' are kept as float16; the map moves by 1e-4 on average
)


class RunPart(Protocol):
    """One part of the network."""

    def __call__(self, feeds: Mapping[str, FloatArray], *, is_last: bool) -> list[FloatArray]:
        """Outputs, in the order of OUTPUTS.

        Args:
            feeds: inputs by name, each with a batch axis of one.
            is_last: True where the part is not needed again soon: its working memory can be given back.
        """
        ...


@dataclass(frozen=True, slots=True)
class WindowSizes:
    """Blocks a side of the windows, without what is cut off.

    Attributes:
        stem: of the first part.
        trunk: of the second part.
    """

    stem: int = STEM_WINDOW
    trunk: int = TRUNK_WINDOW


@dataclass(frozen=True, slots=True)
class BlockMaps:
    """What the network says of a picture of R x C blocks.

    Attributes:
        marks: (R, C) float32 in [0, 1], probability that a block is tampered, higher = more likely.
        reliability: (R, C) float32 in [0, 1], probability that `marks` is right there.
        score: [0, 1], of the picture, higher = more likely tampered.
    """

    marks: FloatArray
    reliability: FloatArray
    score: float

    def extend(self, shape: tuple[int, ...]) -> BlockMaps:
        """The maps continued to (R, C) blocks at the right and below, by their last column and row."""
        more = [(0, wanted - side) for wanted, side in zip(shape, self.marks.shape, strict=True)]
        marks, reliability = (np.pad(values, more, mode="edge") for values in (self.marks, self.reliability))
        return BlockMaps(marks, reliability, self.score)


@dataclass(frozen=True, slots=True)
class LocalizerRuntime:
    """The network in three parts, as `Localizer` describes them.

    Attributes:
        parts: stem, trunk and scorer.
        reach: blocks beyond a window that its stem and its trunk look at.
        uses_peak: the score is the mean of the scorer's and of the map's peak, see `find_peak`: the mean of
            a whole photograph hides a small alteration from the scorer. False takes the scorer's alone.
    """

    parts: Mapping[Part, RunPart]
    reach: tuple[int, int]
    uses_peak: bool = False

    def localize(
        self,
        traces: BlockTraces,
        pixels: UInt8Array | FloatArray,
        *,
        windows: WindowSizes | None = None,
    ) -> BlockMaps:
        """Map and score of one picture.

        Blocks that the right or lower edge cuts are not shown to the network: an encoder fills them up with
        pixels of its own, and training pictures have none. They take what their neighbours inside have.
        Besides the inputs and the outputs, one array of features a block is held; all else is as large as a
        window.

        Args:
            traces: of the R x C blocks.
            pixels: (H, W, 3), R = ceil(H / 8) and C = ceil(W / 8): as `view_pixels` gives them.
            windows: sizes; None takes those that were found to be fast.

        Raises:
            ValueError: traces and pixels are not of the same picture.
        """
        expected = tuple(-(-side // BLOCK) for side in pixels.shape[:2])
        if traces.values.shape[:2] != expected:
            raise ValueError(
                f"Expected traces of {expected} blocks for pixels {pixels.shape[:2]}; received "
                f"{traces.values.shape[:2]}"
            )
        rows, columns = (max(1, side // BLOCK) for side in pixels.shape[:2])
        if (rows, columns) != expected:
            inner = BlockTraces(traces.values[:rows, :columns], traces.table)
            whole = self.localize(inner, pixels[: rows * BLOCK, : columns * BLOCK], windows=windows)
            return whole.extend(expected)
        sizes = windows or WindowSizes()
        features, mean = self._run_stem(traces, pixels, sizes.stem)
        return self._run_trunk(features, mean, pixels, sizes.trunk)

    def _run_stem(
        self, traces: BlockTraces, pixels: UInt8Array | FloatArray, size: int
    ) -> tuple[NDArray[np.float32 | np.float16], FloatArray]:
        shape = traces.values.shape[:2]
        fixed = {
            "table": traces.table[np.newaxis],
            "typical": traces.values.mean(axis=(0, 1), dtype=np.float64)[np.newaxis].astype(np.float32),
        }
        features: NDArray[np.float32 | np.float16] | None = None
        total: NDArray[np.float64] | float = 0.0
        windows = cut_windows(shape, size=size, reach=self.reach[0])
        for window in windows:
            rows, columns = (slice(side.start * BLOCK, side.stop * BLOCK) for side in window.outer)
            feeds = {
                "traces": traces.values[window.outer].astype(np.float32)[np.newaxis],
                "pixels": pad_to_blocks(pixels[rows, columns]).astype(np.float32)[np.newaxis],
            }
            outputs = self.parts["stem"](fixed | feeds, is_last=window is windows[-1])
            inner = outputs[0][0][window.inside]
            if features is None:
                exact = shape[0] * shape[1] * inner.shape[-1] * 4 <= EXACT_BYTES
                features = np.empty((*shape, inner.shape[-1]), np.float32 if exact else np.float16)
            features[window.inner] = inner
            total = total + inner.sum(axis=(0, 1), dtype=np.float64)
        if features is None:
            raise ValueError("Expected a picture of at least one pixel; received none.")
        return features, np.asarray(total / (shape[0] * shape[1]), np.float32)

    def _run_trunk(
        self,
        features: NDArray[np.float32 | np.float16],
        mean: FloatArray,
        pixels: UInt8Array | FloatArray,
        size: int,
    ) -> BlockMaps:
        shape = features.shape[:2]
        marks, reliability = np.empty(shape, np.float32), np.empty(shape, np.float32)
        largest: FloatArray | None = None
        total: NDArray[np.float64] | float = 0.0
        windows = cut_windows(shape, size=size, reach=self.reach[1])
        for window in windows:
            part = features[window.outer].astype(np.float32, copy=False)
            outputs = self.parts["trunk"](
                {"features": part[np.newaxis], "mean": mean[np.newaxis]}, is_last=window is windows[-1]
            )
            logits, trust, context = (output[0][window.inside] for output in outputs)
            marks[window.inner] = logits[..., 0]
            reliability[window.inner] = trust[..., 0]
            peak = context.max(axis=(0, 1))
            largest = peak if largest is None else np.maximum(largest, peak)
            total = total + context.sum(axis=(0, 1), dtype=np.float64)
        average = np.asarray(total / (shape[0] * shape[1]), np.float32)
        score = self.parts["scorer"](
            {"largest": np.asarray(largest)[np.newaxis], "average": average[np.newaxis]}, is_last=True
        )[0].ravel()
        if self.uses_peak:
            score = np.asarray((score + find_peak(marks, pixels)) / 2, np.float32)
        return BlockMaps(logistic(marks), logistic(reliability), float(logistic(score)[0]))


@dataclass(frozen=True, slots=True)
class Window:
    """One part of a grid of blocks.

    Attributes:
        inner: rows and columns of the grid that are taken from this window.
        outer: rows and columns that are looked at.
        inside: where `inner` lies in `outer`.
    """

    inner: Slices
    outer: Slices
    inside: Slices


def find_peak(logits: FloatArray, pixels: UInt8Array | FloatArray) -> float:
    """The largest mean of 3x3 blocks of a map, where clipped blocks count less.

    A clipped sample does not follow the quantization that the rest of the picture shows, so that clipped
    parts of authentic photographs are marked too.

    Args:
        logits: (R, C) of the map.
        pixels: (8R, 8C, 3) in [0, 255].

    Returns:
        A logit.
    """
    rows, columns = logits.shape
    is_clipped = ((pixels >= BRIGHTEST) | (pixels <= DARKEST)).any(axis=2)
    shares = is_clipped.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3), dtype=np.float32)
    near = np.max(_neighbours(shares), axis=0)
    trusted = logits - np.float32(CLIPPED_LOSS) * np.minimum(near / np.float32(CLIPPED_SHARE), 1)
    return float(np.mean(_neighbours(trusted), axis=0).max())


def _neighbours(values: FloatArray) -> FloatArray:
    """(9, R, C): each block and those around it; beyond the edge it is repeated."""
    padded = np.pad(values, 1, mode="edge")
    rows, columns = values.shape
    return np.stack([padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)])


def cut_windows(shape: tuple[int, ...], *, size: int, reach: int) -> list[Window]:
    """Windows that together cover a grid once, as equal as can be.

    Args:
        shape: (rows, columns) of the grid.
        size: largest side of what is taken from a window.
        reach: what each looks at beyond, where the grid goes on.

    >>> [window.outer[1] for window in cut_windows((1, 5), size=3, reach=1)]
    [slice(0, 3, None), slice(1, 5, None)]
    """
    result = []
    for rows in _cut(shape[0], size, reach):
        for columns in _cut(shape[1], size, reach):
            inner, outer, inside = zip(rows, columns, strict=True)
            result.append(Window(inner, outer, inside))
    return result


def _cut(side: int, size: int, reach: int) -> list[tuple[slice, slice, slice]]:
    count = -(-side // size)
    edges = [side * index // count for index in range(count + 1)]
    result = []
    for start, stop in pairwise(edges):
        first, last = max(0, start - reach), min(side, stop + reach)
        result.append((slice(start, stop), slice(first, last), slice(start - first, stop - first)))
    return result
