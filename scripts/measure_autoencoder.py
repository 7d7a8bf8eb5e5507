"""What a residual autoencoder's error localizes on CASIA v1, and what is left of it without texture.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_autoencoder.py [--split val] [--limit 60] \\
        [--rgb runs/autoencoder_casia/bundle]

Prints a table of the mean pixel AUC on tampered images of the split, raw and recompressed at quality 90:
variants of the map, beside two maps that no network is needed for (the energy of the bands, and a spot in
the middle of the picture). Block by block (16 pixels), so that figures differ a little from those of
`imforensics evaluate`. Constants are chosen on the training and validation splits.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.evidence import read_evidence
from imforensics.metrics.detection import area_under_curve, cumulative_counts
from imforensics.models.autoencoder.bands import group_means, residual_bands
from imforensics.models.autoencoder.bundle import DEFAULT_AUTOENCODER, AutoencoderBundle, load_autoencoder
from imforensics.models.autoencoder.error import ERROR_BLOCK, error_map, log_errors
from imforensics.preprocessing.blocks import block_means, find_analysable_blocks, smooth_blocks
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.preprocessing.noise import luma
from imforensics.types import BoolArray, FloatArray, UInt8Array

RESAVED_QUALITY = 90
CHROMA = [1, 2, 4, 5]
AUTHENTIC = 120  # training images that the regression on texture is fitted to


@dataclass(frozen=True, slots=True)
class View:
    """One picture, block by block.

    Attributes:
        error: (h, w, 6) ln of the smoothed reconstruction error of each group of bands.
        energy: (h, w, 6) ln of the smoothed energy of the bands themselves.
        brightness: (h, w) mean luma.
        valid: (h, w) bool.
        tampered: (h, w) bool; all False for an authentic picture.
        absolute: (h, w) smoothed absolute difference to the reconstruction by an RGB autoencoder, or None.
    """

    error: FloatArray
    energy: FloatArray
    brightness: FloatArray
    valid: BoolArray
    tampered: BoolArray
    absolute: FloatArray | None = None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("train", "val", "test"), default="val")
    parser.add_argument("--bundle", default=DEFAULT_AUTOENCODER)
    parser.add_argument("--rgb", type=Path, help="folder of an RGB autoencoder's bundle")
    parser.add_argument("--limit", type=int, help="tampered images")
    arguments = parser.parse_args()
    bundle = load_autoencoder(arguments.bundle, threads=1)
    rgb = load_autoencoder(arguments.rgb, threads=1) if arguments.rgb else None
    texture = fit_texture(bundle)
    views: dict[str, list[View]] = {"raw": [], "saved again": []}
    for pixels, mask in read_tampered(arguments.split, arguments.limit):
        views["raw"].append(look(bundle, pixels, mask, rgb=rgb))
        resaved = resave_jpeg(pixels, quality=RESAVED_QUALITY)
        views["saved again"].append(look(bundle, resaved, mask, rgb=rgb))
    print(f"casia1, split {arguments.split}: {len(views['raw'])} tampered images\n")
    print("| map | " + " | ".join(views) + " |\n|---|" + "---:|" * len(views))
    drawn = variants(bundle, texture)
    if rgb is not None:
        drawn[f"RGB autoencoder {rgb.name}: absolute difference"] = absolute_of
    for name, draw in drawn.items():
        cells = (f"{np.nanmean([measure(draw, view) for view in found]):.3f}" for found in views.values())
        print(f"| {name} | " + " | ".join(cells) + " |")


def variants(bundle: AutoencoderBundle, texture: FloatArray) -> dict[str, Callable[[View], FloatArray]]:
    """Name to map of a view."""
    reference = bundle.manifest.reference
    if reference is None:
        raise ValueError(f"{bundle.name} has no reference of authentic images")
    means, deviations = np.array(reference.log_mean), np.array(reference.log_std)

    def z(view: View) -> FloatArray:
        return np.asarray((view.error - means) / deviations, np.float32)

    def expected(view: View) -> FloatArray:
        return np.asarray(view.error - explain(view) @ texture, np.float32)

    def aside(values: FloatArray, view: View) -> FloatArray:
        return np.abs(values - np.median(values[view.valid], axis=0))

    return {
        "the method: mean of z and deviations of chroma": lambda v: error_map(v.error, v.valid, reference),
        "mean of z": lambda v: z(v).mean(axis=-1),
        "mean of z, luma": lambda v: z(v)[..., [0, 3]].mean(axis=-1),
        "mean of z, chroma": lambda v: z(v)[..., CHROMA].mean(axis=-1),
        "deviations of all groups, both directions": lambda v: aside(z(v), v).mean(axis=-1),
        "deviations of chroma, both directions": lambda v: aside(z(v), v)[..., CHROMA].mean(axis=-1),
        "error by energy of the bands (share that is lost)": lambda v: (v.error - v.energy).mean(axis=-1),
        "error less what its texture and brightness explain": lambda v: expected(v).mean(axis=-1),
        "the same, both directions": lambda v: aside(expected(v), v).mean(axis=-1),
        "no network: energy of the bands": lambda v: v.energy.mean(axis=-1),
        "no network: centre-prior baseline": spot,
    }


def absolute_of(view: View) -> FloatArray:
    """The difference to an RGB autoencoder's reconstruction."""
    if view.absolute is None:
        raise ValueError("Expected a view with an RGB reconstruction; received one without")
    return view.absolute


def look(
    bundle: AutoencoderBundle, pixels: UInt8Array, mask: BoolArray, *, rgb: AutoencoderBundle | None = None
) -> View:
    """Errors, energies and truth of one picture."""
    valid = find_analysable_blocks(pixels, block=ERROR_BLOCK)
    energy = group_means(residual_bands(pixels) ** 2)
    blocks = [block_means(np.ascontiguousarray(energy[..., k]), block=ERROR_BLOCK // 4) for k in range(6)]
    return View(
        error=log_errors(bundle.block_errors(pixels, block=ERROR_BLOCK), valid),
        energy=log_errors(np.stack(blocks, axis=-1), valid),
        brightness=block_means(luma(pixels), block=ERROR_BLOCK),
        valid=valid,
        tampered=block_means(mask.astype(np.float32), block=ERROR_BLOCK) >= 0.5,
        absolute=None if rgb is None else smooth_difference(rgb, pixels, valid),
    )


def smooth_difference(rgb: AutoencoderBundle, pixels: UInt8Array, valid: BoolArray) -> FloatArray:
    """(h, w): |pixels - reconstruction| in blocks, smoothed twice over 3x3 of those that are valid."""
    difference = np.abs(rgb.reconstruct_image(pixels) - pixels / np.float32(255)).mean(axis=2)
    weights = valid.astype(np.float32)
    once = smooth_blocks(block_means(difference, block=ERROR_BLOCK), weights=weights)
    return smooth_blocks(once, weights=smooth_blocks(weights))


def explain(view: View) -> FloatArray:
    """(h, w, 10): what the error is regressed on: coarse energies, brightness, and their squares."""
    coarse = view.energy[..., 3:]
    light = (view.brightness / 255)[..., None]
    return np.concatenate(
        [np.ones_like(light), coarse, coarse**2, light, light**2, light * coarse[..., :1]], -1
    )


def fit_texture(bundle: AutoencoderBundle) -> FloatArray:
    """(10, 6) least squares of the errors of authentic training images, every second one saved again."""
    samples = [s for s in load_split(load_dataset("casia1"), "train") if s.label == 0][:AUTHENTIC]
    causes, effects = [], []
    for index, sample in enumerate(samples):
        pixels = read_evidence(sample.image_path).pixels
        pixels = resave_jpeg(pixels, quality=RESAVED_QUALITY) if index % 2 else pixels
        view = look(bundle, pixels, np.zeros(pixels.shape[:2], np.bool_))
        causes.append(explain(view)[view.valid])
        effects.append(view.error[view.valid])
    solution = np.linalg.lstsq(np.concatenate(causes), np.concatenate(effects), rcond=None)[0]
    return np.asarray(solution, np.float32)


def spot(view: View) -> FloatArray:
    """Higher towards the middle, whatever is in the picture."""
    height, width = view.valid.shape
    rows, columns = np.mgrid[0:height, 0:width]
    away = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5)
    return np.asarray(1 - away, np.float32)


def measure(draw: Callable[[View], FloatArray], view: View) -> float:
    """Pixel AUC of one map over the valid blocks; NaN where one class is missing."""
    truth = view.tampered[view.valid]
    if truth.all() or not truth.any():
        return float("nan")
    tp, fp, _ = cumulative_counts(draw(view)[view.valid].astype(np.float64), truth)
    return area_under_curve(tp, fp)


def read_tampered(split: str, limit: int | None) -> Iterator[tuple[UInt8Array, BoolArray]]:
    """Pixels and mask of the tampered images that have a mask of their size."""
    samples = [s for s in load_split(load_dataset("casia1"), split) if s.label == 1 and s.mask_path]
    for sample in samples[:limit]:
        pixels = read_evidence(sample.image_path).pixels
        with Image.open(sample.mask_path) as mask:  # type: ignore[arg-type]
            tampered = np.asarray(mask.convert("L")) >= 128
        if tampered.shape == pixels.shape[:2]:
            yield pixels, tampered


if __name__ == "__main__":
    main()
