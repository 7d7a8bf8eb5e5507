"""GAN bundles: images of latent vectors, latent vectors of images, and the search for better ones."""

from __future__ import annotations

import numpy as np

from imforensics.models.bundle.runtime import TrainedBundle
from imforensics.models.gan.manifest import GanManifest
from imforensics.types import FloatArray


class GanBundle(TrainedBundle[GanManifest]):
    """Generator, encoder, discriminator features and search graph, see `TrainedBundle`."""

    manifest_type = GanManifest
    batch = 16  # the generator's last layers take about 5 MB an image

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images that the networks know."""
        return self.manifest.height, self.manifest.width

    def generate(self, latents: FloatArray) -> FloatArray:
        """Images of latent vectors: (N, latent) float32 to (N, H, W, 3) float32 in [0, 1]."""
        return self._run("generator", {"z": latents})[0]

    def encode(self, images: FloatArray) -> FloatArray:
        """Latent vectors of images: (N, H, W, 3) float32 in [0, 1] to (N, latent) float32."""
        return self._run("encoder", {"image": images})[0]

    def features(self, images: FloatArray) -> FloatArray:
        """The discriminator's features: (N, H, W, 3) float32 in [0, 1] to (N, F) float32."""
        return self._run("discriminator", {"image": images})[0]

    def logits(self, images: FloatArray) -> FloatArray:
        """The discriminator's opinion: (N, H, W, 3) in [0, 1] to (N,) float32, higher = more like a photo."""
        return self._run("discriminator", {"image": images})[1].reshape(-1)

    def search_step(
        self, latents: FloatArray, targets: FloatArray, features: FloatArray, *, feature_weight: float
    ) -> tuple[FloatArray, FloatArray]:
        """The search's loss and its gradient.

        Args:
            latents: (N, latent) float32.
            targets: (N, H, W, 3) float32 in [0, 1].
            features: (N, F) float32, the targets' own.
            feature_weight: weight of the mean squared error of features beside that of pixels.

        Returns:
            Losses (N,), and their gradient by the latent vectors (N, latent).
        """
        weights = np.full((len(latents), 1), feature_weight, np.float32)
        feeds = {"z": latents, "target": targets, "target_features": features, "feature_weight": weights}
        pixel, feature, gradient = self._run("search", feeds)
        return (pixel + weights * feature).reshape(-1), gradient


load_gan_bundle = GanBundle.load
