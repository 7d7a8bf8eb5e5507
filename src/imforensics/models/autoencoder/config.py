"""What `train-autoencoder` does: data, network, fit and the bundle made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from imforensics.config import ConfigModel, DatasetConfig

SMALLEST_SIDE = 11  # pixels: the window of the structural similarity
Content = Literal["gray", "rgb", "residual"]
Source = Literal["keras", "npz", "digits", "patches"]


class AutoencoderDataConfig(ConfigModel):
    """What is learned from.

    Attributes:
        source: "keras" downloads MNIST with Keras; "npz" reads a local file with the arrays x_train and
            x_test; "digits" takes the 8x8 digits that scikit-learn ships, enlarged to 28x28; "patches" cuts
            patches out of a data set's authentic images.
        path: the npz file; None for the other sources.
        dataset: of the patches.
        content: of the patches: "rgb" takes pixels, "residual" high-pass bands of luma and chroma at a
            quarter of the resolution; the digits are "gray".
        side: rows and columns of a patch, in pixels.
        per_image: patches cut from each image, at random places.
        resave_share: share of images that are saved as JPEG once more before patches are cut.
        resave_qualities: lowest and highest IJG quality of that.
    """

    source: Source = "patches"
    path: Path | None = None
    dataset: DatasetConfig = DatasetConfig()
    content: Content = "residual"
    side: int = Field(64, ge=16, le=256)
    per_image: int = Field(8, ge=1, le=64)
    resave_share: float = Field(0.5, ge=0, le=1)
    resave_qualities: tuple[int, int] = (70, 95)

    @field_validator("resave_qualities")
    @classmethod
    def _check_qualities(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1] <= 100:
            raise ValueError("expected two IJG qualities from 1 to 100, the lower one first")
        return value

    @model_validator(mode="after")
    def _check_whole(self) -> AutoencoderDataConfig:
        if (self.source == "npz") != (self.path is not None):
            raise ValueError("source: npz needs path, and path needs source: npz")
        if (self.source == "patches") == (self.content == "gray"):
            raise ValueError("content is gray for the digits and rgb or residual for patches")
        if self.source == "patches" and self.side % 8:
            raise ValueError(f"side must be a multiple of 8, received {self.side}")
        if self.content == "residual" and self.side // 4 < SMALLEST_SIDE:
            raise ValueError(f"side must be at least {4 * (SMALLEST_SIDE + 1)} for residual patches")
        return self


class AutoencoderNetworkConfig(ConfigModel):
    """Shape of the autoencoder; the decoder mirrors the encoder.

    Attributes:
        filters: channels of each convolution of the encoder; the first works at full size, each further one
            halves rows and columns.
        latent: channels of the bottleneck.
    """

    filters: tuple[int, ...] = Field((32, 48), min_length=2, max_length=5)
    latent: int = Field(6, ge=1, le=512)


class AutoencoderFitConfig(ConfigModel):
    """How the network is fitted.

    Attributes:
        loss: "binary_crossentropy" for pixels in [0, 1], "mse" for residuals.
        epochs: upper limit; early stopping may end sooner.
        batch_size: patches a step.
        learning_rate: of Adam.
        patience: epochs without a better validation reconstruction (mean squared error) before stopping.
        min_delta: smallest decrease of it that counts as better, as a share.
    """

    loss: Literal["binary_crossentropy", "mse"] = "mse"
    epochs: int = Field(20, ge=1)
    batch_size: int = Field(64, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    patience: int = Field(5, ge=1)
    min_delta: float = Field(1e-3, ge=0, lt=1)


class TrainAutoencoderConfig(ConfigModel):
    """What `train-autoencoder` does.

    Attributes:
        name: name of the bundle.
        data: what is learned from.
        photos: data set of authentic photographs whose validation part joins the calibration of a residual
            bundle's threshold; None leaves it to the data set of the patches.
        network: its shape.
        fit: how it is fitted.
        seed: of the weights, the patches and the order.
    """

    name: str = Field("autoencoder", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    data: AutoencoderDataConfig = AutoencoderDataConfig()
    photos: DatasetConfig | None = None
    network: AutoencoderNetworkConfig = AutoencoderNetworkConfig()
    fit: AutoencoderFitConfig = AutoencoderFitConfig()
    seed: int = Field(20240, ge=0)

    @model_validator(mode="after")
    def _check_loss(self) -> TrainAutoencoderConfig:
        if self.data.content == "residual" and self.fit.loss != "mse":
            raise ValueError(
                "fit.loss: residuals have both signs, binary_crossentropy needs [0, 1]; take mse"
            )
        return self
