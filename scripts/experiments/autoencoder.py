"""What a residual autoencoder's error localizes on CASIA v1, and what is left of it without texture.

Block by block (16 pixels), so that figures differ a little from those of `imforensics evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import isnan
from typing import NamedTuple

import numpy as np

from experiment import Experiment, Found
from imforensics.datasets.rasters import read_mask
from imforensics.evidence import read_evidence
from imforensics.metrics.detection import area_under_curve, cumulative_counts
from imforensics.metrics.localization import centre_prior
from imforensics.models.autoencoder.bands import group_means, residual_bands
from imforensics.models.autoencoder.bundle import AutoencoderBundle, load_autoencoder
from imforensics.models.autoencoder.error import ERROR_BLOCK, error_map, log_errors
from imforensics.preprocessing.blocks import block_means, find_analysable_blocks, smooth_blocks
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.preprocessing.noise import luma
from imforensics.report.markdown import Table
from imforensics.types import BoolArray, FloatArray, Sample, UInt8Array
from tables import mean

RESAVED_QUALITY = 90
CHROMA = [1, 2, 4, 5]
SAVES = ("raw", "saved again")


class Item(NamedTuple):
    """A tampered image, the names of the bundles, and the regression on texture."""

    sample: Sample
    bundle: str
    rgb: str | None
    texture: FloatArray


@dataclass(frozen=True, slots=True)
class View:
    """One picture, block by block.

    Attributes:
        error: (h, w, 6) ln of the smoothed reconstruction error of each group of bands.
        energy: (h, w, 6) ln of the smoothed energy of the bands themselves.
        brightness: (h, w) mean luma.
        valid: (h, w) bool.
    """

    error: FloatArray
    energy: FloatArray
    brightness: FloatArray
    valid: BoolArray


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each map: mean pixel AUC on the files as they are and saved again."""
    options, (_, samples) = experiment.config.options, experiment.load()
    tampered = experiment.thin([s for s in samples if s.label == 1 and s.mask_path])
    authentic = [s for s in experiment.load(split="train")[1] if s.label == 0]
    texture = fit_texture(options["bundle"], authentic[: options["authentic"]])
    items = [Item(sample, options["bundle"], options["rgb"], texture) for sample in tampered]
    records = experiment.collect(look, {item.sample.image_path.name: item for item in items})
    names = dict.fromkeys(name for record in records for name in record["auc"])
    rows = [
        [name, *(mean(r["auc"][name] for r in records if r["saved"] == saved) for saved in SAVES)]
        for name in names
    ]
    yield Table("", ("map", *SAVES), rows, text=[f"{len(records) // 2} tampered images, mean pixel AUC."])


def look(item: Item) -> list[Found]:
    """Pixel AUC of each map, as it is and saved again."""
    bundle, path = load(item.bundle), item.sample.image_path
    pixels, mask = read_evidence(path).pixels, read_mask(item.sample.mask_path)  # type: ignore[arg-type]
    if mask.shape != pixels.shape[:2]:
        return []
    truth = block_means(mask.astype(np.float32), block=ERROR_BLOCK) >= 0.5
    records = []
    for saved, shown in zip(SAVES, (pixels, resave_jpeg(pixels, quality=RESAVED_QUALITY)), strict=True):
        view = make_view(bundle, shown)
        maps = {name: draw(view) for name, draw in variants(bundle, item.texture).items()}
        if item.rgb is not None:
            maps["RGB autoencoder: absolute difference"] = smooth_difference(
                load(item.rgb), shown, view.valid
            )
        records.append(
            {"saved": saved, "auc": {name: pixel_auc(m, truth, view.valid) for name, m in maps.items()}}
        )
    return records


@cache
def load(name: str) -> AutoencoderBundle:
    """A bundle, loaded once in each process."""
    return load_autoencoder(name, threads=1)


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
        "no network: centre-prior baseline": lambda v: centre_prior(*v.valid.shape),
    }


def make_view(bundle: AutoencoderBundle, pixels: UInt8Array) -> View:
    """Errors and energies of one picture."""
    valid = find_analysable_blocks(pixels, block=ERROR_BLOCK)
    energy = group_means(residual_bands(pixels) ** 2)
    blocks = [block_means(np.ascontiguousarray(energy[..., k]), block=ERROR_BLOCK // 4) for k in range(6)]
    error = log_errors(bundle.block_errors(pixels, block=ERROR_BLOCK), valid)
    brightness = block_means(luma(pixels), block=ERROR_BLOCK)
    return View(error, log_errors(np.stack(blocks, axis=-1), valid), brightness, valid)


def smooth_difference(rgb: AutoencoderBundle, pixels: UInt8Array, valid: BoolArray) -> FloatArray:
    """(h, w): |pixels - reconstruction| in blocks, smoothed twice over 3x3 of those that are valid."""
    difference = np.abs(rgb.reconstruct_image(pixels) - pixels / np.float32(255)).mean(axis=2)
    weights = valid.astype(np.float32)
    once = smooth_blocks(block_means(difference, block=ERROR_BLOCK), weights=weights)
    return smooth_blocks(once, weights=smooth_blocks(weights))


def explain(view: View) -> FloatArray:
    """(h, w, 10): what the error is regressed on: coarse energies, brightness, and their squares."""
    coarse, light = view.energy[..., 3:], (view.brightness / 255)[..., None]
    return np.concatenate(
        [np.ones_like(light), coarse, coarse**2, light, light**2, light * coarse[..., :1]], -1
    )


def fit_texture(bundle: str, samples: list[Sample]) -> FloatArray:
    """(10, 6) least squares of the errors of authentic training images, every second one saved again."""
    causes, effects = [], []
    for index, sample in enumerate(samples):
        pixels = read_evidence(sample.image_path).pixels
        view = make_view(load(bundle), resave_jpeg(pixels, quality=RESAVED_QUALITY) if index % 2 else pixels)
        causes.append(explain(view)[view.valid])
        effects.append(view.error[view.valid])
    solution = np.linalg.lstsq(np.concatenate(causes), np.concatenate(effects), rcond=None)[0]
    return np.asarray(solution, np.float32)


def pixel_auc(values: FloatArray, tampered: BoolArray, valid: BoolArray) -> float | None:
    """Pixel AUC of one map over the valid blocks; None where one class is missing."""
    truth = tampered[valid]
    if truth.all() or not truth.any():
        return None
    tp, fp, _ = cumulative_counts(values[valid].astype(np.float64), truth)
    found = area_under_curve(tp, fp)
    return None if isnan(found) else found
