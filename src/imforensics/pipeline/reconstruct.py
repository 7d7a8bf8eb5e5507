"""Reconstruct one image with a bundle, and measure how the reconstruction differs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from imforensics.errors import BundleError, ConfigError, EvidenceError
from imforensics.evidence import read_evidence
from imforensics.metrics.similarity import WINDOW, mse, psnr, ssim
from imforensics.models.autoencoder.bundle import load_autoencoder
from imforensics.models.autoencoder.error import ERROR_BLOCK, error_map, log_errors
from imforensics.models.classifier.bundle import load_bundle
from imforensics.models.gan.manifest import MODES, VIEWS, ReconstructionMode, View
from imforensics.models.gan.reconstruction import DEFAULT_GAN_BUNDLE, DEFAULT_MODE
from imforensics.models.kinds import read_kind
from imforensics.preprocessing.blocks import find_analysable_blocks, spread_blocks, upsample_blocks
from imforensics.preprocessing.inputs import resize_image
from imforensics.preprocessing.noise import luma
from imforensics.report.reconstruction import Extent, Reconstruction, measure_extent
from imforensics.types import DEFAULT_MAX_PIXELS, LocalizationMap

if TYPE_CHECKING:
    from imforensics.types import Evidence, FloatArray, UInt8Array

DEFAULT_VIEW = "whole"
MIN_SIDE = 16  # of a picture that a network is shown
ERROR_SCALE = 0.1  # mean absolute difference that reads 0.5 where the bundle holds no threshold
_NO_TENSORFLOW = "The bundle ran on ONNX Runtime; TensorFlow was not needed."


@dataclass
class _Made:
    """What a bundle made of an image: reconstruction (H, W, 3) in [0, 1], map, threshold and facts."""

    image: FloatArray
    map: LocalizationMap
    threshold: tuple[float, str] | None
    bundle: dict[str, str]
    mode: dict[str, str]
    notes: list[str] = field(default_factory=list)


def reconstruct(
    source: Path | bytes,
    *,
    bundle: str = DEFAULT_GAN_BUNDLE,
    mode: str | None = None,
    view: str | None = None,
    threads: int | None = None,
    name: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Reconstruction:
    """Reconstruct an image and compare it with what came out.

    Args:
        source: the file, or its bytes.
        bundle: name of a shipped bundle, or path of a folder with one (with a path separator in it), of kind
            "gan" or "autoencoder".
        mode: of a GAN, one of MODES; None takes encoder+search.
        view: of a GAN, one of VIEWS; None takes whole.
        threads: of the runtime; None leaves it to the runtime.
        name: to show for bytes.
        max_pixels: larger images are refused.

    Returns:
        Everything that the pictures and the record are made of.

    Raises:
        EvidenceError: the file cannot be read as an image, or is smaller than 16 pixels on a side.
        BundleError: there is no such bundle, or it cannot reconstruct photographs.
        ConfigError: an unknown mode or view, or one for a bundle that has none.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "read"):
        evidence = read_evidence(source, name=name, max_pixels=max_pixels)
    if min(evidence.height, evidence.width) < MIN_SIDE:
        raise EvidenceError(
            f"{evidence.name} has {evidence.width}x{evidence.height} pixels; a reconstruction needs at least "
            f"{MIN_SIDE} on each side"
        )
    with _timed(seconds, "reconstruct"):
        made = _choose(bundle, mode, view)(evidence, bundle, threads)
    with _timed(seconds, "compare"):
        similarity = _compare(evidence.pixels, made.image)
        extent = _extent(made)
    pixels = np.empty(evidence.pixels.shape, np.uint8)
    np.rint(np.multiply(made.image, np.float32(255), out=made.image), out=pixels, casting="unsafe")
    return Reconstruction(
        name=evidence.name,
        sha256=evidence.sha256,
        pixels=evidence.pixels,
        orientation=evidence.orientation,
        made=pixels,
        map=made.map,
        extent=extent,
        bundle=made.bundle,
        mode=made.mode,
        similarity=similarity,
        seconds=seconds,
        notes=(*made.notes, _NO_TENSORFLOW),
    )


Maker = Callable[["Evidence", str, int | None], _Made]


def _choose(bundle: str, mode: str | None, view: str | None) -> Maker:
    """What reconstructs with a bundle of this kind; checks mode and view before anything heavy is done."""
    for option, value, known in (("mode", mode, MODES), ("view", view, VIEWS)):
        if value is not None and value not in known:
            raise ConfigError(f"--{option}: expected one of {', '.join(known)}; received {value!r}")
    kind = read_kind(bundle)
    if kind == "gan":
        chosen = cast("ReconstructionMode", mode or DEFAULT_MODE), cast("View", view or DEFAULT_VIEW)
        return lambda evidence, name, threads: _with_gan(evidence, name, threads, *chosen)
    if kind == "autoencoder":
        if mode is not None or view is not None:
            raise ConfigError(f"--mode and --view are for GAN bundles; {bundle} is an autoencoder")
        return _with_autoencoder
    if kind == "classifier":
        load_bundle(bundle)  # a folder that holds no bundle counts as one; this says so
    raise BundleError(
        f"{bundle} is a bundle of kind {kind!r}. Name one that train-gan or train-autoencoder made"
    )


def _with_gan(
    evidence: Evidence, name: str, threads: int | None, mode: ReconstructionMode, view: View
) -> _Made:
    from imforensics.models.gan import error as reconstruction_error
    from imforensics.models.gan.reconstruction import load_reconstructor

    reconstructor = load_reconstructor(name, threads=threads)
    pixels = evidence.pixels
    size = evidence.height, evidence.width
    if view == "whole":
        small = reconstructor.shrink(pixels)
        made = reconstructor.reconstruct(small[np.newaxis], mode=mode)[0]
        error = resize_image(reconstruction_error.error_map(small, made, "absolute"), size)
        image = np.clip(resize_image(made, size), 0, 1)
    else:
        image = reconstructor.reconstruct_image(pixels, mode=mode, view=view)
        error = _absolute_error(pixels, image)
    scale = reconstructor.bundle.manifest.find_scale(mode=mode, view=view, kind="absolute")
    half = scale.threshold if scale is not None else ERROR_SCALE
    error = np.maximum(error, 0)
    notes = [f"Map: e / (e + {half:.3g}), e the mean absolute difference of values in [0, 1]."]
    return _Made(
        image=image,
        map=LocalizationMap(np.asarray(error / (error + np.float32(half)), np.float32)),
        threshold=None if scale is None else (0.5, scale.policy),
        bundle={"name": reconstructor.name, "kind": "gan", "sha256": reconstructor.digest},
        mode={"mode": mode, "view": view},
        notes=notes,
    )


def _with_autoencoder(evidence: Evidence, name: str, threads: int | None) -> _Made:
    bundle = load_autoencoder(name, threads=threads)
    content, reference = bundle.manifest.content, bundle.manifest.reference
    if content == "gray":
        raise BundleError(f"{bundle.name} reconstructs digits, not photographs. Name another bundle")
    pixels = evidence.pixels
    image = bundle.reconstruct_image(pixels)
    facts = {"name": bundle.name, "kind": "autoencoder", "sha256": bundle.digest}
    if reference is None:
        error = _absolute_error(pixels, image)
        values = np.asarray(error / (error + np.float32(ERROR_SCALE)), np.float32)
        note = f"Map: e / (e + {ERROR_SCALE}), e the mean absolute difference of values in [0, 1]."
        return _Made(image, LocalizationMap(values), None, facts, {"content": content}, [note])
    valid = find_analysable_blocks(pixels, block=ERROR_BLOCK)
    shape = evidence.height, evidence.width
    if valid.any():
        logs = log_errors(bundle.block_errors(pixels, block=ERROR_BLOCK), valid)
        values = upsample_blocks(error_map(logs, valid, reference), shape, block=ERROR_BLOCK)
    else:
        values = np.zeros(shape, np.float32)
    map_ = LocalizationMap(values, spread_blocks(valid, shape, block=ERROR_BLOCK))
    threshold = reference.threshold, reference.threshold_policy
    note = "The bands of fine detail were reconstructed, over the image's own means of 4x4 pixels."
    return _Made(image, map_, threshold, facts, {"content": content}, [note])


def _absolute_error(pixels: UInt8Array, image: FloatArray) -> FloatArray:
    error = np.empty(pixels.shape[:2], np.float32)
    for top in range(0, len(pixels), 64):
        part = slice(top, top + 64)
        error[part] = np.abs(pixels[part] / np.float32(255) - image[part]).mean(axis=2)
    return error


def _extent(made: _Made) -> Extent | None:
    if made.threshold is None:
        return None
    threshold, policy = made.threshold
    return measure_extent(made.map, threshold=threshold, policy=policy)


def _compare(pixels: UInt8Array, image: FloatArray) -> dict[str, float | None]:
    """Similarity of values in [0, 1]; SSIM of luma, as it is defined."""
    original = pixels * np.float32(1 / 255)
    signal = psnr(original, image)
    result = {"mse": mse(original, image), "psnr": signal if math.isfinite(signal) else None}
    del original
    if min(pixels.shape[:2]) < WINDOW:
        return {**result, "ssim": None}
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return {**result, "ssim": ssim(luma(pixels) / np.float32(255), image @ weights)}


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
