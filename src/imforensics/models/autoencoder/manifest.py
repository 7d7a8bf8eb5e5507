"""What `bundle.yaml` of kind "autoencoder" holds: the file, its content, its thresholds, what it is worth."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import yaml
from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.models.autoencoder.bands import GROUP_NAMES
from imforensics.models.autoencoder.config import Content
from imforensics.models.classifier.manifest import ModelFile


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


class AutoencoderProvenance(ConfigModel):
    """Where the network comes from.

    Attributes:
        created_at: UTC, of the export.
        tool_version: of imforensics.
        commit: of its source, None where it was not run from a checkout.
        config_digest: SHA-256 of the resolved training configuration.
        data: what it learned from, in words.
        train_images: images that its patches were cut from, or digits.
        train_patches: arrays that it was fitted on.
        val_patches: arrays that early stopping looked at.
        seed: of everything random.
        epochs: epochs fitted.
        best_epoch: the epoch that was kept.
        versions: of Python and each library.
    """

    created_at: datetime
    tool_version: str
    commit: str | None
    config_digest: str
    data: str
    train_images: int
    train_patches: int
    val_patches: int
    seed: int
    epochs: int
    best_epoch: int
    versions: dict[str, str]


class AutoencoderManifest(ConfigModel):
    """The whole of `bundle.yaml`.

    Attributes:
        schema_version: of this format.
        name: of the bundle.
        kind: always "autoencoder".
        model: the runtime's file.
        content: what the network eats: gray or RGB pixels in [0, 1], or residual bands.
        channels: of its input and output.
        multiple: rows and columns of an input must be multiples of it.
        latent_share: numbers in the bottleneck for each number of the input.
        measurements: of reconstructions.
        reference: of the error of authentic images; residual bundles have one.
        provenance: where the network comes from.
    """

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    kind: Literal["autoencoder"] = "autoencoder"
    model: ModelFile
    content: Content
    channels: int = Field(ge=1, le=64)
    multiple: int = Field(ge=2, le=16)
    latent_share: float = Field(gt=0)
    measurements: tuple[AutoencoderMeasurement, ...] = ()
    reference: ErrorReference | None = None
    provenance: AutoencoderProvenance


def dump_autoencoder_manifest(manifest: AutoencoderManifest) -> str:
    """The manifest as YAML."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
