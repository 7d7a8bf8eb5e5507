"""What `train-detector` does: data, the network's input and shape, the fit and the bundle made of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from imforensics.config import ConfigModel, DatasetConfig


class NetworkInputConfig(ConfigModel):
    """What the network sees of an image.

    Attributes:
        kind: rgb, ela (ELA residual), wavelet (noise residual) or ela_wavelet (both, stacked).
        height: rows after the resize.
        width: columns after the resize.
        ela_quality: JPEG quality of the resave.
    """

    kind: Literal["rgb", "ela", "wavelet", "ela_wavelet"] = "ela"
    height: int = Field(128, ge=16, le=1024)
    width: int = Field(128, ge=16, le=1024)
    ela_quality: int = Field(90, ge=1, le=100)


class NetworkConfig(ConfigModel):
    """Shape of the classifier.

    Attributes:
        filters: channels of each convolution and pooling block.
        dense: units of the hidden dense layer.
        dropout: fraction dropped before and after the dense layer.
    """

    filters: tuple[int, ...] = Field((32, 64, 128), min_length=1)
    dense: int = Field(128, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)


class FitConfig(ConfigModel):
    """How the network is fitted.

    Attributes:
        epochs: upper limit; early stopping usually ends sooner.
        batch_size: images a step.
        learning_rate: of Adam.
        patience: epochs without a better validation loss before stopping.
        min_delta: smallest decrease of the validation loss that counts as better.
        class_weights: weigh classes inversely to their frequency.
        flips: mirror training images at random; both images of a pair alike.
    """

    epochs: int = Field(40, ge=1)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    patience: int = Field(8, ge=1)
    min_delta: float = Field(1e-4, ge=0)
    class_weights: bool = True
    flips: bool = True


class TrainDetectorConfig(ConfigModel):
    """What `train-detector` does: data, network, fit and the bundle made of it.

    Attributes:
        kind: tells this configuration from a localizer's.
        name: name of the bundle.
        dataset: labelled images with a committed split by source group.
        pairs: "raw" takes the files as they are; "twin" takes each tampered file and its own host, saved
            with the tampered file's quantization tables and subsampling; "exact_twin" takes those of them
            whose tampered file has IJG tables: our encoder is the same there, only the alteration differs.
        photos: data set of authentic photographs whose validation part sets the false-alarm rate of the
            label; None leaves the label to the data set alone.
        input: what the network sees.
        network: its shape.
        fit: how it is fitted.
        seed: of the weights, the order, the mirroring and the dropout.
        workers: processes that prepare inputs; None takes one a core.
    """

    kind: Literal["classifier"] = "classifier"
    name: str = Field("detector", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    dataset: DatasetConfig = DatasetConfig()
    pairs: Literal["raw", "twin", "exact_twin"] = "raw"
    photos: DatasetConfig | None = None
    input: NetworkInputConfig = NetworkInputConfig()
    network: NetworkConfig = NetworkConfig()
    fit: FitConfig = FitConfig()
    seed: int = Field(20240, ge=0)
    workers: int | None = Field(None, ge=1)
