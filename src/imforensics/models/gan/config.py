"""What `train-gan` does: data, networks, the two fits and the bundle made of them."""

from __future__ import annotations

from pydantic import Field, model_validator

from imforensics.config import ConfigModel, DatasetConfig
from imforensics.models.gan.manifest import SearchSettings

SMALLEST = 4  # rows and columns that the generator starts at


class GanImagesConfig(ConfigModel):
    """What the networks see of authentic images.

    Attributes:
        size: rows and columns of the images.
        patch_share: share of training images that are crops at native resolution; the rest are whole images,
            resized.
        min_crop: smallest share of rows and of columns that a whole image is cropped to before its resize;
            1 takes all of it.
        flips: mirror training images left-right at random.
    """

    size: int = Field(128, ge=16, le=512)
    patch_share: float = Field(0.25, ge=0, le=1)
    min_crop: float = Field(0.85, gt=0, le=1)
    flips: bool = True


class GanNetworksConfig(ConfigModel):
    """Shapes of generator, discriminator and encoder.

    Attributes:
        latent: length of a latent vector.
        generator_filters: channels at 4x4 and after each doubling; they taper with resolution.
        discriminator_filters: channels of each strided convolution, which halves the resolution.
        encoder_filters: the same of the encoder.
        dropout: fraction dropped after each convolution of the discriminator.
        discriminator_norm: "spectral" bounds each layer's largest singular value, "batch" normalizes by
            batch statistics, "none" does neither.
    """

    latent: int = Field(128, ge=2, le=1024)
    generator_filters: tuple[int, ...] = Field((128, 128, 64, 32, 16, 8), min_length=2)
    discriminator_filters: tuple[int, ...] = Field((16, 32, 64, 128, 128), min_length=1)
    encoder_filters: tuple[int, ...] = Field((16, 32, 64, 128, 128), min_length=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    discriminator_norm: str = Field("spectral", pattern=r"^(spectral|batch|none)$")


class GanFitConfig(ConfigModel):
    """How generator and discriminator are fitted.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step, generated ones as many again.
        generator_learning_rate: of Adam.
        discriminator_learning_rate: of Adam; another one than the generator's is the two time-scale rule.
        beta_1: of both Adams.
        label_smoothing: the discriminator is to call training images 1 - this.
        augment: differentiable augmentation (brightness, colour, translation, cutout) of all that the
            discriminator sees.
        average: decay a step of the running mean of the generator's weights, which is what is kept.
        sample_every: epochs between two sample grids, kernel distances and looks at the diversity.
        samples: images of the kernel distance.
        collapse_ratio: the alarm sounds when samples differ from each other by less than this share of what
            training images differ by.
    """

    epochs: int = Field(120, ge=1)
    batch_size: int = Field(16, ge=2)
    generator_learning_rate: float = Field(4e-4, gt=0)
    discriminator_learning_rate: float = Field(6e-4, gt=0)
    beta_1: float = Field(0.5, ge=0, lt=1)
    label_smoothing: float = Field(0.1, ge=0, lt=0.5)
    augment: bool = True
    average: float = Field(0.99, ge=0, lt=1)
    sample_every: int = Field(5, ge=1)
    samples: int = Field(128, ge=8)
    collapse_ratio: float = Field(0.5, ge=0, le=1)


class EncoderFitConfig(ConfigModel):
    """How the encoder is fitted to the finished generator.

    Attributes:
        epochs: upper limit; early stopping may end sooner.
        batch_size: images a step.
        learning_rate: of Adam.
        feature_weight: weight of the discriminator-feature error beside the pixel error (f-AnoGAN's kappa).
        latent_weight: weight of the latent error of generated images (ziz) beside the image error (izi).
        patience: epochs without a better validation reconstruction before stopping.
        min_delta: smallest decrease of the validation error that counts as better.
    """

    epochs: int = Field(40, ge=1)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(5e-4, gt=0)
    feature_weight: float = Field(0.1, ge=0)
    latent_weight: float = Field(0.01, ge=0)
    patience: int = Field(8, ge=1)
    min_delta: float = Field(1e-5, ge=0)


class TrainGanConfig(ConfigModel):
    """What `train-gan` does.

    Attributes:
        name: name of the bundle.
        dataset: its authentic images are learned from, by the committed split.
        images: what the networks see of them.
        networks: their shapes.
        fit: of generator and discriminator.
        encoder: fit of the encoder.
        search: how the bundle searches latent vectors.
        seed: of the weights, the order, the crops, the noise and the dropout.
    """

    name: str = Field("gan", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    dataset: DatasetConfig = DatasetConfig()
    images: GanImagesConfig = GanImagesConfig()
    networks: GanNetworksConfig = GanNetworksConfig()
    fit: GanFitConfig = GanFitConfig()
    encoder: EncoderFitConfig = EncoderFitConfig()
    search: SearchSettings = SearchSettings()
    seed: int = Field(20240, ge=0)

    @model_validator(mode="after")
    def _check_sizes(self) -> TrainGanConfig:
        made = SMALLEST * 2 ** (len(self.networks.generator_filters) - 1)
        if made != self.images.size:
            raise ValueError(
                f"{len(self.networks.generator_filters)} generator_filters make images of {made} rows, "
                f"expected {self.images.size}: one for {SMALLEST} rows and one for each doubling"
            )
        for name in ("discriminator_filters", "encoder_filters"):
            halvings = len(getattr(self.networks, name))
            if self.images.size % 2**halvings:
                raise ValueError(
                    f"{name}: {self.images.size} cannot be halved {halvings} times without a rest"
                )
        return self
