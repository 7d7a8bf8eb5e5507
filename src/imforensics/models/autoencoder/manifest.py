"""What `bundle.yaml` of kind "autoencoder" holds: the file, its content, its thresholds, what it is worth."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.models.autoencoder.bands import GROUP_NAMES
from imforensics.models.autoencoder.config import Content
from imforensics.models.bundle.manifest import ModelManifest, Provenance


class AutoencoderMeasurement(ConfigModel):
    """How near reconstructions come to what was put in.

    Attributes:
        split: "train" or "val".
        n: number of patches or digits.
        mse: mean squared error, in the square of the unit of the content.
        ssim: mean structural similarity.
        psnr: peak signal-to-noise ratio of the mse, in dB.
    """

    split: Literal["train", "val"]
    n: int = Field(ge=1)
    mse: float = Field(ge=0)
    ssim: float
    psnr: float


class ErrorReference(ConfigModel):
    """What the reconstruction error of authentic images is like, block by block.

    Attributes:
        block: side of a block in pixels.
        log_mean: of ln(error) of each group of bands, in the order of GROUP_NAMES.
        log_std: its standard deviation.
        threshold: of the map; a share of the pixels of authentic images, as the policy says, is beyond it.
        threshold_policy: such as "far_2pct".
        population: the images, with counts.
    """

    block: int = Field(ge=8, le=256)
    log_mean: tuple[float, ...] = Field(min_length=len(GROUP_NAMES), max_length=len(GROUP_NAMES))
    log_std: tuple[float, ...] = Field(min_length=len(GROUP_NAMES), max_length=len(GROUP_NAMES))
    threshold: float = Field(gt=0, lt=1)
    threshold_policy: str
    population: str


class AutoencoderProvenance(Provenance):
    """Where the network comes from, see `Provenance`.

    Attributes:
        data: what it learned from, in words.
        train_images: images that its patches were cut from, or digits.
        train_patches: arrays that it was fitted on.
        val_patches: arrays that early stopping looked at.
        epochs: epochs fitted.
        best_epoch: the epoch that was kept.
    """

    data: str
    train_images: int
    train_patches: int
    val_patches: int
    epochs: int
    best_epoch: int


class AutoencoderManifest(ModelManifest):
    """The whole of `bundle.yaml`, see `ModelManifest`.

    Attributes:
        content: what the network takes: gray or RGB pixels in [0, 1], or residual bands.
        channels: of its input and output.
        multiple: rows and columns of an input must be multiples of it.
        latent_share: numbers in the bottleneck for each number of the input.
        measurements: of reconstructions.
        reference: of the error of authentic images; residual bundles have one.
        provenance: where the network comes from.
    """

    made_by = "train-autoencoder"

    kind: Literal["autoencoder"] = "autoencoder"
    content: Content
    channels: int = Field(ge=1, le=64)
    multiple: int = Field(ge=2, le=16)
    latent_share: float = Field(gt=0)
    measurements: tuple[AutoencoderMeasurement, ...] = ()
    reference: ErrorReference | None = None
    provenance: AutoencoderProvenance
