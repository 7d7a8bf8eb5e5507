"""What `bundle.yaml` of kind "gan" holds: the files, how reconstructions are made, what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.models.bundle.manifest import BundleFile, PartsManifest, Provenance

ReconstructionMode = Literal["noise", "search", "encoder", "encoder+search"]
MODES: tuple[ReconstructionMode, ...] = get_args(ReconstructionMode)
View = Literal["whole", "patches"]
VIEWS: tuple[View, ...] = get_args(View)
Part = Literal["generator", "encoder", "discriminator", "search"]
PARTS: tuple[Part, ...] = get_args(Part)


class GanFile(BundleFile):
    """One network, see `BundleFile`.

    Attributes:
        max_difference_to_keras: largest absolute difference of its output to the trained Keras network's on
            validation images; None for the search graph, whose gradient has no Keras counterpart in a bundle.
    """

    max_difference_to_keras: float | None = Field(None, ge=0)


class SearchSettings(ConfigModel):
    """How latent vectors are searched.

    Attributes:
        steps: of Adam, for each image.
        learning_rate: of Adam, in units of the latent vector's standard deviation.
        feature_weight: weight of the mean squared difference of discriminator features beside that of pixels.
        prior_weight: weight of the mean square of the latent vector, which keeps it where the generator knows
            its way.
        restarts: random starts of mode "search", of which the best one is kept for each image.
        noise_samples: random vectors of mode "noise", of which the best one is kept for each image.
    """

    steps: int = Field(60, ge=1, le=2000)
    learning_rate: float = Field(0.1, gt=0)
    feature_weight: float = Field(0.1, ge=0)
    prior_weight: float = Field(1e-4, ge=0)
    restarts: int = Field(3, ge=1, le=64)
    noise_samples: int = Field(64, ge=1, le=4096)


class ReconstructionMeasurement(ConfigModel):
    """How near reconstructions come to held-out authentic images.

    Attributes:
        mode: how they were made.
        view: "whole": images resized to the network's size; "patches": crops at native resolution.
        dataset: name of the data set.
        split: of it.
        n: number of images.
        mse: mean squared error of pixels in [0, 1].
        ssim: mean structural similarity, [-1, 1].
        psnr: peak signal-to-noise ratio of the mean squared error, in dB.
    """

    mode: ReconstructionMode
    view: View
    dataset: str
    split: Literal["train", "val"]
    n: int = Field(ge=1)
    mse: float = Field(ge=0)
    ssim: float
    psnr: float


class ErrorScale(ConfigModel):
    """The error that a share of the pixels of authentic validation images exceeds.

    Attributes:
        mode: how the images were reconstructed.
        view: whole images or patches.
        kind: "absolute" (mean over the channels of |image - reconstruction|) or "ssim" ((1 - SSIM) / 2).
        policy: share of authentic pixels beyond the threshold, such as "far_2pct".
        threshold: the error itself, in (0, 1).
    """

    mode: ReconstructionMode
    view: View
    kind: Literal["absolute", "ssim"]
    policy: str
    threshold: float = Field(gt=0, lt=1)


class GanProvenance(Provenance):
    """Where the networks come from, see `Provenance`.

    Attributes:
        dataset: name of the training set.
        train_images: authentic images that the networks were fitted on.
        val_images: authentic images of the measurements and thresholds.
        gan_epochs: epochs of the adversarial fit.
        encoder_epochs: epochs of the encoder's fit.
        encoder_best_epoch: the one that was kept.
        kernel_distance: of the last measured samples to validation images; lower is better.
        kernel_distance_floor: the same of training images to validation images: what no generator beats.
    """

    dataset: str
    train_images: int
    val_images: int
    gan_epochs: int
    encoder_epochs: int
    encoder_best_epoch: int
    kernel_distance: float | None
    kernel_distance_floor: float


class GanManifest(PartsManifest):
    """The whole of `bundle.yaml`, see `PartsManifest`.

    Attributes:
        height: rows of the images that the networks know.
        width: columns of them.
        latent: length of a latent vector; standard normal.
        files: of each part.
        search: how latent vectors are searched.
        error_scales: thresholds of error maps, from authentic validation images.
        measurements: of reconstructions.
        provenance: where the networks come from.
    """

    made_by = "train-gan"
    part_names = PARTS

    kind: Literal["gan"] = "gan"
    height: int = Field(ge=16, le=1024)
    width: int = Field(ge=16, le=1024)
    latent: int = Field(ge=1, le=4096)
    files: Mapping[str, GanFile]
    search: SearchSettings
    error_scales: tuple[ErrorScale, ...] = ()
    measurements: tuple[ReconstructionMeasurement, ...] = ()
    provenance: GanProvenance

    def find_scale(self, *, mode: ReconstructionMode, view: View, kind: str) -> ErrorScale | None:
        """The threshold of one kind of error map, None where it was not measured."""
        for scale in self.error_scales:
            if (scale.mode, scale.view, scale.kind) == (mode, view, kind):
                return scale
        return None
