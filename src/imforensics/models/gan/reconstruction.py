"""Reconstruction: the nearest image that a generator of photographs can make, on ONNX Runtime alone.

Four ways to a latent vector z of an image x, generator G, discriminator features f, encoder E:
    noise: the best of N random z, by mean squared error; the variant of the paper.
    search: gradient search from random z, restarts, |G(z) - x|^2 + weight |f(G(z)) - f(x)|^2.
    encoder: z = E(x).
    encoder+search: the search, started at E(x).
The gradients are part of the exported search graph, so that none of them needs TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imforensics.models.gan.bundle import load_gan_bundle
from imforensics.models.gan.manifest import MODES, VIEWS, ReconstructionMode, View
from imforensics.preprocessing.inputs import resize_image
from imforensics.preprocessing.patches import Window, cut_windows, read_window, stitch_windows
from imforensics.types import FloatArray, UInt8Array

if TYPE_CHECKING:
    from imforensics.models.gan.bundle import GanBundle
    from imforensics.models.gan.manifest import SearchSettings

DEFAULT_GAN_BUNDLE = "casia1_gan"
DEFAULT_MODE: ReconstructionMode = "encoder+search"
CHUNK = 16  # patches reconstructed at a time, to bound memory on large photos
ADAM = (0.9, 0.999, 1e-8)  # Kingma & Ba 2015, their defaults


class Reconstructor:
    """Makes the image that a GAN bundle's generator comes nearest to.

    Attributes:
        bundle: the networks and their facts.
        settings: of the search; the bundle's unless others are given.
    """

    def __init__(self, bundle: GanBundle, settings: SearchSettings | None = None) -> None:
        """Take a loaded bundle; use `load_reconstructor`."""
        self.bundle = bundle
        self.settings = settings if settings is not None else bundle.manifest.search

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.bundle.manifest.name

    @property
    def digest(self) -> str:
        """SHA-256 of the bundle."""
        return self.bundle.digest

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images that the networks know."""
        return self.bundle.size

    def reconstruct(
        self, images: FloatArray, *, mode: ReconstructionMode = DEFAULT_MODE, seed: int = 0
    ) -> FloatArray:
        """Reconstruct images of the networks' own size.

        Args:
            images: (N, H, W, 3) float32 RGB in [0, 1], `size`.
            mode: how the latent vector is found.
            seed: of random latent vectors; "encoder" and "encoder+search" draw none.

        Returns:
            (N, H, W, 3) float32 in [0, 1].

        Raises:
            TypeError: not float32.
            ValueError: another shape, or an unknown mode.

        Reference:
            Schlegl et al., f-AnoGAN, Medical Image Analysis 54, 2019, doi 10.1016/j.media.2019.01.010;
            search: Schlegl et al., AnoGAN, IPMI 2017, doi 10.1007/978-3-319-59050-9_12, eq. 1-4.
        """
        self._check(images, mode)
        return self.bundle.generate(self.find_latents(images, mode=mode, seed=seed))

    def find_latents(
        self, images: FloatArray, *, mode: ReconstructionMode = DEFAULT_MODE, seed: int = 0
    ) -> FloatArray:
        """The latent vectors of `reconstruct`: (N, H, W, 3) float32 in [0, 1] to (N, latent) float32."""
        self._check(images, mode)
        if mode == "noise":
            return self._best_noise(images, np.random.default_rng(seed))
        if mode == "encoder":
            return self.bundle.encode(images)
        if mode == "encoder+search":
            return self._search(images, self.bundle.encode(images))[0]
        generator = np.random.default_rng(seed)
        best, lowest = self._search(images, self._draw(len(images), generator))
        for _ in range(self.settings.restarts - 1):
            found, losses = self._search(images, self._draw(len(images), generator))
            is_better = losses < lowest
            best[is_better], lowest[is_better] = found[is_better], losses[is_better]
        return best

    def reconstruct_image(
        self,
        pixels: UInt8Array,
        *,
        mode: ReconstructionMode = DEFAULT_MODE,
        view: View = "whole",
        seed: int = 0,
        overlap: int | None = None,
    ) -> FloatArray:
        """Reconstruct one image of any size.

        Args:
            pixels: (H, W, 3) uint8 RGB as stored.
            mode: how the latent vectors are found.
            view: "whole": the image is resized to the networks' size, reconstructed and resized back;
                "patches": overlapping windows at native resolution, blended.
            seed: of random latent vectors.
            overlap: of neighbouring patches, in pixels, a multiple of 8; None takes a quarter of a patch.

        Returns:
            (H, W, 3) float32 in [0, 1].

        Raises:
            TypeError, ValueError: not such pixels, or an unknown mode or view.
        """
        check_view(pixels, view)
        height, width = pixels.shape[:2]
        if view == "whole":
            small = self.shrink(pixels)
            made = self.reconstruct(small[np.newaxis], mode=mode, seed=seed)[0]
            return np.asarray(np.clip(resize_image(made, (height, width)), 0, 1), dtype=np.float32)
        windows = self.windows(height, width, overlap=overlap)
        return stitch_windows(
            (height, width), windows, self.iterate_patches(pixels, windows, mode=mode, seed=seed)
        )

    def shrink(self, pixels: UInt8Array) -> FloatArray:
        """(H, W, 3) uint8 to `size` float32 in [0, 1], as the whole view sees an image."""
        return np.asarray(np.clip(resize_image(pixels, self.size) / np.float32(255), 0, 1), dtype=np.float32)

    def windows(self, height: int, width: int, *, overlap: int | None = None) -> list[Window]:
        """The patches of an image; each costs about as much as a whole view."""
        side = min(self.size)
        chosen = side // 4 // 8 * 8 if overlap is None else overlap
        return cut_windows(height, width, window=side, overlap=chosen)

    def iterate_patches(
        self, pixels: UInt8Array, windows: Sequence[Window], *, mode: ReconstructionMode, seed: int = 0
    ) -> Iterator[FloatArray]:
        """Reconstructions of windows of an image, one by one, each of `size`; see `windows`."""
        for start in range(0, len(windows), CHUNK):
            parts = [read_window(pixels, part, size=self.size) for part in windows[start : start + CHUNK]]
            images = np.stack(parts).astype(np.float32) / np.float32(255)
            yield from self.reconstruct(images, mode=mode, seed=seed + start)

    def _draw(self, count: int, generator: np.random.Generator) -> FloatArray:
        return generator.standard_normal((count, self.bundle.manifest.latent), dtype=np.float32)

    def _best_noise(self, images: FloatArray, generator: np.random.Generator) -> FloatArray:
        """The same N random images are compared with each image; N x N_images differences by a product."""
        latents = self._draw(self.settings.noise_samples, generator)
        made = self.bundle.generate(latents).reshape(len(latents), -1)
        wanted = images.reshape(len(images), -1)
        # |a - b|^2 = |a|^2 - 2 a.b + |b|^2; |b|^2 is the same for all candidates of an image
        distances = (made**2).sum(1) - 2 * (wanted @ made.T)
        nearest: FloatArray = latents[distances.argmin(1)]
        return nearest

    def _search(self, images: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Adam from `start`; the best z on the way and its loss are kept for each image."""
        settings, bundle = self.settings, self.bundle
        features = bundle.features(images)
        z, best = start.copy(), start.copy()
        lowest = np.full(len(z), np.inf, np.float32)
        first, second = np.zeros_like(z), np.zeros_like(z)
        decay_1, decay_2, epsilon = ADAM
        prior = np.float32(settings.prior_weight)
        for step in range(1, settings.steps + 2):
            losses, gradient = bundle.search_step(z, images, features, feature_weight=settings.feature_weight)
            losses += prior * (z**2).mean(1)
            is_better = losses < lowest
            best[is_better], lowest[is_better] = z[is_better], losses[is_better]
            if step > settings.steps:
                break
            gradient += 2 * prior / np.float32(z.shape[1]) * z
            first = decay_1 * first + (1 - decay_1) * gradient
            second = decay_2 * second + (1 - decay_2) * gradient**2
            scaled = np.sqrt(second / (1 - decay_2**step)) + epsilon
            z = (z - settings.learning_rate * (first / (1 - decay_1**step)) / scaled).astype(np.float32)
        return best, lowest

    def _check(self, images: FloatArray, mode: str) -> None:
        if mode not in MODES:
            raise ValueError(f"Expected mode to be one of {', '.join(MODES)}; received {mode!r}")
        if images.dtype != np.float32:
            raise TypeError(f"Expected float32 images in [0, 1], received {images.dtype}")
        if images.ndim != 4 or images.shape[1:] != (*self.size, 3) or len(images) == 0:
            raise ValueError(
                f"Expected images of shape (N, {self.size} + 3), N >= 1; received {images.shape}"
            )


def load_reconstructor(
    path_or_name: Path | str = DEFAULT_GAN_BUNDLE,
    *,
    settings: SearchSettings | None = None,
    threads: int | None = None,
) -> Reconstructor:
    """Load a GAN bundle for reconstruction.

    Args:
        path_or_name: name of a shipped bundle, or the folder of one: a Path, or a string with a path
            separator.
        settings: of the search; None takes the bundle's.
        threads: of the runtime within one operation; None leaves it to the runtime.

    Returns:
        The reconstructor; TensorFlow is not needed.

    Raises:
        BundleError: there is no such bundle, or it is damaged or of another kind.
    """
    return Reconstructor(load_gan_bundle(path_or_name, threads=threads), settings)


def check_view(pixels: UInt8Array, view: str) -> None:
    """Check the arguments of a reconstruction of one image.

    Raises:
        TypeError: not uint8.
        ValueError: not (H, W, 3), or an unknown view.
    """
    if view not in VIEWS:
        raise ValueError(f"Expected view to be one of {', '.join(VIEWS)}; received {view!r}")
    if pixels.dtype != np.uint8:
        raise TypeError(f"Expected uint8 pixels in [0, 255], received {pixels.dtype}")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ValueError(f"Expected pixels of shape (H, W, 3), received {pixels.shape}")
