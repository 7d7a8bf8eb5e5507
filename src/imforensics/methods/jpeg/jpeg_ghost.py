"""JPEG ghosts: parts that change otherwise than the rest when saved again at a range of qualities."""

from __future__ import annotations

from functools import partial
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from imforensics.methods.base import Method, MethodOptions, Reference
from imforensics.methods.jpeg.jpeg_ghosts import (
    block_variances,
    compare_shapes,
    find_dip,
    find_earlier_dip,
    ghost_curves,
    normalise_ghosts,
    saved_once_curve,
    split_curves,
    typical_curve,
)
from imforensics.preprocessing.blocks import find_analysable_blocks, gaussian_blocks
from imforensics.preprocessing.medians import median
from imforensics.preprocessing.noise import MAD_OF_NORMAL, luma
from imforensics.types import (
    Artifact,
    BoolArray,
    CellT,
    Evidence,
    Finding,
    FloatArray,
    JsonValue,
    LocalizationMap,
    UInt8Array,
)

BLOCK = 8
BAND_BLOCKS = 64  # rows of blocks measured at a time
MIN_BLOCKS = 64  # analysable ones: fewer have no typical curve
SMOOTHED = 1 << 17  # values smoothed at a time, which stay in the cache
SIGMA = 2.0  # blocks; of the Gaussian over neighbours. 1.5 to 3 localize alike on CASIA v1 train and val
MIN_SPREAD = 0.02  # nats; an image whose curves agree better than this does not make little things loud
MIN_SUPPORT = 0.05  # weight of analysable blocks in reach below which nothing can be said
MAP_HALF_WAY = 1.65  # robust standard deviations; the best mean F1 on CASIA v1 train and val, raw
MAP_STEEPNESS = 4.0
THRESHOLD = 0.5
SCORE_QUANTILE = 0.95  # of the blocks
# Nats; grows with few blocks, whose medians vary: by FEW_BLOCKS over their number. Of the photographs
# of `photos` train and val at most 2 % reach it, of 1,066 files saved once by encoders of five kinds 12.
SCORE_HALF_WAY, FEW_BLOCKS = 0.112, 32
SCORE_STEEPNESS = 4.0
# Nats below which no quality is named; in a JPEG beyond what its last saving leaves: 12 of 1,066 files saved
# once reach it (docs/experiments/encoders.md).
MIN_DIP, MIN_EARLIER_DIP = 0.05, 0.1
SHEET_COLUMNS, SHEET_TILES, SHEET_WIDTH = 4, 12, 1024  # of the contact picture, the width in pixels


class JpegGhost(Method):
    """Blocks whose curve of change over the resave quality is not that of the image's other blocks.

    Each block's curve is compared with the blocks of like texture, by two measures of it; the differences are
    averaged over neighbouring blocks with a Gaussian, and their root mean square over the qualities, in
    robust standard deviations of the image, is mapped to [0, 1] by a fixed curve.
    """

    name = "jpeg_ghost"
    family = "jpeg"
    reads_inferred_jpeg = True
    question = "Are there regions with another history of JPEG qualities than the rest of the image?"
    idea = (
        "The image is saved again at many qualities. A part that was once saved at some quality changes "
        "least when it is saved so again: a dark ghost at that quality. Each block's curve of change over "
        "the quality is compared with those of the blocks of like texture in the same image; parts that went "
        "through other savings than the rest stand out, whichever of the two was saved more coarsely. A "
        "quality is named for the whole image only where its own last saving does not explain the dip."
    )
    limitations = (
        "It sees that a part differs, not which part is the pasted one: a large insertion makes the rest "
        "stand out. Ghosts show where the earlier saving was on the grid of the resave and coarser than the "
        "last one. A part that is sharper, blurred, noisier or drawn differs as well, so that skies, text "
        "and blur in authentic photographs are marked. The score tells photographs saved once from forged "
        "ones, and much less a forgery from a harmless picture with the same history."
    )
    reference = Reference(
        "H. Farid, Exposing digital forgeries from JPEG ghosts, IEEE Transactions on Information Forensics "
        "and Security 4(1), 2009",
        doi="10.1109/TIFS.2008.2012215",
    )

    class Options(MethodOptions):
        """Options of the JPEG ghost method.

        Attributes:
            qualities: IJG qualities of the resaves, rising, at least 8.
            offset: row and column, 0 to 7, of the grid of the resaves' first block.
        """

        qualities: tuple[int, ...] = Field(tuple(range(50, 96)), min_length=8, max_length=100)
        offset: tuple[int, int] = (0, 0)

        @field_validator("qualities")
        @classmethod
        def _check_qualities(cls, value: tuple[int, ...]) -> tuple[int, ...]:
            is_rising = all(before < after for before, after in pairwise(value))
            if not is_rising or value[0] < 1 or value[-1] > 100:
                raise ValueError("expected rising qualities from 1 to 100")
            return value

        @field_validator("offset")
        @classmethod
        def _check_offset(cls, value: tuple[int, int]) -> tuple[int, int]:
            if not all(0 <= part <= 7 for part in value):
                raise ValueError("expected a row and a column from 0 to 7")
            return value

    options: Options

    def analyze(self, evidence: Evidence) -> Finding:
        """Save again at every quality, compare the blocks' curves."""
        top, left = self.options.offset
        shifted = evidence.pixels[top:, left:] if top or left else evidence.pixels
        rows, columns = shifted.shape[0] // BLOCK, shifted.shape[1] // BLOCK
        if rows * columns < MIN_BLOCKS:
            return self._decline(f"The image has {rows * columns} whole blocks of 8x8 pixels")
        usable = find_analysable_blocks(shifted, block=BLOCK)[:rows, :columns]
        if usable.sum() < MIN_BLOCKS:
            return self._decline(f"Flat or saturated but for {int(usable.sum())} blocks of 8x8 pixels")
        curves, variances = self._measure_blocks(shifted)
        dip = self._find_dip(evidence, typical_curve(curves[:, usable]))
        sheet = self._draw(curves)
        heights, shapes = split_curves(curves)
        weight = gaussian_blocks(usable.astype(np.float32), sigma=SIGMA)
        differences = [compare_shapes(shapes, heights, usable)]
        differences.append(compare_shapes(shapes, variances, usable, out=shapes))
        for planes in differences:
            _smooth(planes, weight)
        return self._report(differences, usable, weight >= MIN_SUPPORT, evidence.pixels.shape[:2], dip, sheet)

    def _measure_blocks(self, pixels: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Curve and variance of each whole block, in bands: no plane of the picture's size is made."""
        rows, columns = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
        curves = np.empty((len(self.options.qualities), rows, columns), dtype=np.float32)
        variances = np.empty((rows, columns), dtype=np.float32)
        for first in range(0, rows, BAND_BLOCKS):
            band = slice(first, first + BAND_BLOCKS)
            plane = luma(pixels[band.start * BLOCK : band.stop * BLOCK, : columns * BLOCK])
            curves[:, band] = ghost_curves(plane, qualities=self.options.qualities)
            variances[band] = block_variances(plane)
        return curves, variances

    def _decline(self, reason: str) -> Finding:
        return super()._decline(
            f"{reason}; at least {MIN_BLOCKS} that can be analysed are needed for a typical curve."
        )

    def _report(
        self,
        differences: list[FloatArray],
        usable: BoolArray,
        support: BoolArray,
        shape: tuple[int, int],
        dip: dict[str, JsonValue],
        sheet: Artifact,
    ) -> Finding:
        deviations, sizes = _measure(differences, usable)
        marks = np.where(support, _squash(deviations, MAP_HALF_WAY, MAP_STEEPNESS), np.float32(0))
        offset = self.options.offset
        map_ = LocalizationMap(
            partial(_spread, marks, shape, offset), partial(_spread, support, shape, offset)
        )
        peak = np.asarray(np.quantile(sizes[usable], SCORE_QUANTILE), dtype=np.float32)
        half_way = SCORE_HALF_WAY * (1 + FEW_BLOCKS / int(usable.sum()))
        found = dip | self._describe(differences, usable, marks >= THRESHOLD)
        return Finding(
            self.name,
            self.family,
            "ok",
            score=float(_squash(peak, half_way, SCORE_STEEPNESS)),
            map=map_,
            mask_source=partial(map_.reach, THRESHOLD),
            threshold=THRESHOLD,
            threshold_policy="f1_fixed",
            artifacts={"ghosts": sheet},
            observations=found | {"deviation_q95": round(float(peak), 4)},
            notes=(
                _describe_dip(found),
                f"Map: 0.5 where the curve, averaged over neighbours, is {MAP_HALF_WAY:g} robust standard "
                "deviations from that of blocks of like texture.",
                "The score tells how large the deviations are in the image, a heuristic without calibration.",
            ),
        )

    def _find_dip(self, evidence: Evidence, typical: FloatArray) -> dict[str, JsonValue]:
        """The quality at which the image as a whole changes less than its last saving explains."""
        own = self._own_curve(evidence)
        index, depth = find_dip(typical) if own is None else find_earlier_dip(typical, own)
        is_seen = depth >= (MIN_DIP if own is None else MIN_EARLIER_DIP)
        return {
            "image_quality": self.options.qualities[index] if is_seen else None,
            "image_dip": round(depth, 4),
            "is_last_saving_known": own is not None,
        }

    def _own_curve(self, evidence: Evidence) -> FloatArray | None:
        """What the saving of a JPEG leaves in its curve; None where that is not known, or on another grid."""
        if evidence.jpeg is None or self.options.offset != (0, 0):
            return None
        table = evidence.jpeg.quantization_tables[0]
        rows, columns = ((side - BLOCK // 2) // BLOCK for side in evidence.pixels.shape[:2])
        usable = find_analysable_blocks(evidence.pixels[4:, 4:], block=BLOCK)[:rows, :columns]
        if table.min() < 1 or not usable.any():
            return None
        return saved_once_curve(evidence.pixels, usable, table=table, qualities=self.options.qualities)

    def _describe(
        self, differences: list[FloatArray], usable: BoolArray, marked: BoolArray
    ) -> dict[str, JsonValue]:
        """How much is marked, and the quality at which the marked blocks change least beside the rest."""
        facts: dict[str, JsonValue] = {
            "marked_share": round(float(marked[usable].mean()), 4),
            "marked_quality": None,
        }
        region = marked & usable
        if region.any():
            beside = np.mean([median(planes[:, region]) for planes in differences], axis=0)
            facts["marked_quality"] = self.options.qualities[int(beside.argmin())]
            facts["marked_difference"] = round(float(beside.min()), 4)
        return facts

    def _draw(self, curves: FloatArray) -> Artifact:
        """The normalised ghosts of up to twelve qualities side by side."""
        picks = np.unique(np.linspace(0, len(curves) - 1, SHEET_TILES).round().astype(int))
        step = max(1, -(-curves.shape[2] * SHEET_COLUMNS // SHEET_WIDTH))
        ghosts = normalise_ghosts(curves[:, ::step, ::step])[picks]
        zoom = max(1, SHEET_WIDTH // (SHEET_COLUMNS * (ghosts.shape[2] + 1)))
        tiles = np.rint(ghosts.repeat(zoom, axis=1).repeat(zoom, axis=2) * 255).astype(np.uint8)
        tiles = np.pad(tiles, ((0, -len(tiles) % SHEET_COLUMNS), (1, 1), (1, 1)), constant_values=255)
        count, height, width = tiles.shape
        sheet = tiles.reshape(-1, SHEET_COLUMNS, height, width).transpose(0, 2, 1, 3)
        named = ", ".join(str(self.options.qualities[pick]) for pick in picks)
        caption = (
            f"Change of each 8x8 block when saved again at quality {named} (row by row); fixed scale: each "
            "block's curve over all qualities from its least change (black) to its largest (white)"
        )
        return Artifact(sheet.reshape(count // SHEET_COLUMNS * height, SHEET_COLUMNS * width), caption)


def _describe_dip(found: dict[str, JsonValue]) -> str:
    beyond = " beyond what its last saving leaves" if found["is_last_saving_known"] else ""
    if found["image_quality"] is None:
        return f"The image as a whole shows no ghost{beyond}: no quality at which it changes markedly less."
    return (
        f"The image as a whole changes markedly less when saved at quality {found['image_quality']} than "
        f"around it{beyond}: it, or most of it, was saved so before."
    )


def _spread(blocks: NDArray[CellT], shape: tuple[int, int], offset: tuple[int, int]) -> NDArray[CellT]:
    """Each pixel takes the value of its whole block, 0 beyond them."""
    top, left = offset
    whole = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    result = np.zeros(shape, dtype=blocks.dtype)
    result[top : top + whole.shape[0], left : left + whole.shape[1]] = whole
    return result


def _measure(differences: list[FloatArray], usable: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Root mean square in robust standard deviations, and mean size in nats, of each block.

    `differences` are two of (Q, rows, columns): by either measure of texture, at each quality.
    """
    squares, sizes = (np.zeros(usable.shape, dtype=np.float32) for _ in range(2))
    places = np.flatnonzero(usable)
    for plane in chain(*differences):
        size = plane - median(plane.ravel()[places])
        np.abs(size, out=size)
        sizes += size
        size /= np.float32(max(float(median(size.ravel()[places])) / MAD_OF_NORMAL, MIN_SPREAD))
        size *= size
        squares += size
    count = sum(map(len, differences))
    return np.sqrt(squares / np.float32(count)), sizes / np.float32(count)


def _squash(values: FloatArray, half_way: float, steepness: float) -> FloatArray:
    """x^s / (x^s + h^s): 0 at 0, 0.5 at `half_way`."""
    powers = np.minimum(values / np.float32(half_way), 1000.0) ** steepness
    return np.asarray(powers / (1 + powers), dtype=np.float32)


def _smooth(planes: FloatArray, weight: FloatArray) -> None:
    """Each plane, 0 where not usable, becomes its Gaussian mean over usable blocks, of which `weight` are in
    reach; 0 where none is.
    """
    factors = np.divide(1, weight, out=np.zeros_like(weight), where=weight > 0)
    together = max(1, SMOOTHED // weight.size)
    for first in range(0, len(planes), together):
        part = planes[first : first + together]
        np.multiply(gaussian_blocks(part, sigma=SIGMA), factors, out=part)
