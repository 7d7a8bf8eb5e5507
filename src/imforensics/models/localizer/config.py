"""What `train-detector` does for a localizer: photographs, synthesis, network, fit."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from imforensics.config import ConfigModel, DatasetConfig
from imforensics.datasets.synthesis.config import NativeConfig, SynthesisConfig
from imforensics.evidence.luma import BLOCK

Stream = Literal["traces", "noise", "ela", "wavelet", "rgb"]


class LabelledPairsConfig(ConfigModel):
    """Forgeries of a data set beside their own hosts, as a part of the training pairs.

    Attributes:
        dataset: labelled, with masks, committed splits and twins; its training split is learned from.
        share: of the pairs of a batch, the others are synthesized.
        resaved: share of these pairs that are saved once more, both halves alike, by a chain drawn like those
            of the `resaved` protocol.
        resized: share of these pairs that are resized, both halves alike, and then saved by such a chain.
        resize: range of that factor; pictures that it would make smaller than a batch's are reduced less.
    """

    dataset: DatasetConfig = DatasetConfig()
    share: float = Field(0.5, gt=0, le=1)
    resaved: float = Field(0.5, ge=0, le=1)
    resized: float = Field(0.0, ge=0, le=1)
    resize: tuple[float, float] = (0.5, 1.5)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.resaved + self.resized > 1:
            raise ValueError("resaved and resized are shares of the same pairs: their sum must not exceed 1")
        if not 0 < self.resize[0] <= self.resize[1] <= 4:
            raise ValueError("resize must be two numbers, 0 < low <= high <= 4")
        return self


class OriginalsConfig(ConfigModel):
    """Camera and phone originals at their own size and on their own JPEG grid, as hosts and as they are.

    Attributes:
        dataset: of whole originals; its validation split gives the validation pairs.
        share: of the pairs that are not labelled ones; the others are made from `photos`.
        context: (rows, columns) in pixels of the forgery's file; a window of the batch's size is learned
            from, against the histograms of all of it.
        synthesis: what these forgeries, and how they are delivered, are drawn from.
        untouched: windows of originals a batch, as their files hold them, never saved by us.
        max_side: of those the middle is used, at most so many pixels a side.
    """

    dataset: DatasetConfig
    share: float = Field(0.5, gt=0, le=1)
    context: tuple[int, int] = (512, 768)
    synthesis: NativeConfig = NativeConfig()
    untouched: int = Field(2, ge=0)
    max_side: int = Field(1536, ge=256)


class LocalizerDataConfig(ConfigModel):
    """What the localizer learns from.

    Attributes:
        photos: data sets of authentic photographs; their training splits are the pool that forgeries are made
            from, their validation splits the pool of the validation pairs and the photographs of which hardly
            any may be called tampered.
        camera_sets: how many of `photos`, from the first, are camera photographs: the calibration counts
            their false alarms together, and those of each further set by itself.
        synthesis: what forgeries are drawn from.
        labelled: pairs of a labelled set beside the made ones; None trains on synthesis alone.
        originals: photographs at native size, which forgeries are made of too; None takes `photos` alone.
        sizes: (rows, columns) in pixels of the pictures; each batch draws one. Multiples of 8.
        pairs: a batch; each is a forgery and its twin.
        untouched: parts of photographs a batch, as their files hold them, never saved by us.
        validation_pairs: synthesized for validation, the same at every epoch.
    """

    photos: tuple[DatasetConfig, ...] = (DatasetConfig(name="photos"), DatasetConfig(name="photos_web"))
    camera_sets: int = Field(1, ge=1)
    synthesis: SynthesisConfig = SynthesisConfig()
    labelled: LabelledPairsConfig | None = None
    originals: OriginalsConfig | None = None
    sizes: tuple[tuple[int, int], ...] = ((256, 384), (384, 256))
    pairs: int = Field(7, ge=1)
    untouched: int = Field(2, ge=0)
    validation_pairs: int = Field(96, ge=1)

    @property
    def pictures(self) -> int:
        """Shown in a batch, twins counted."""
        return 2 * self.pairs + self.untouched + (self.originals.untouched if self.originals else 0)

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if not self.sizes or any(side < 64 or side % BLOCK for size in self.sizes for side in size):
            raise ValueError("sizes must be (rows, columns) of at least 64 pixels, multiples of 8")
        return self

    @model_validator(mode="after")
    def _check_sets(self) -> Self:
        of_originals = self.originals.context if self.originals is not None else None
        if of_originals and any(size[axis] > of_originals[axis] for size in self.sizes for axis in (0, 1)):
            raise ValueError("originals.context must hold every one of sizes")
        if self.camera_sets > len(self.photos):
            raise ValueError(f"camera_sets is {self.camera_sets}, but photos names {len(self.photos)} sets")
        return self


class LocalizerNetworkConfig(ConfigModel):
    """Shape of the network.

    Attributes:
        streams: what it sees: "traces" (DCT coefficients against the picture's histograms), "noise" (pixels
            minus their 3x3 mean), and for comparison "rgb" (pixels), "ela" (ELA residual), "wavelet" (wavelet
            noise residual). A residual takes the place of the pixels: it is the only stream beside "traces".
        trace_channels: of the stream of traces.
        pixel_channels: after each of three strided convolutions, of the other streams.
        channels: after the streams are fused.
        dilations: of the residual blocks, in blocks of 8x8 pixels.
    """

    streams: tuple[Stream, ...] = Field(("traces", "noise"), min_length=1)
    trace_channels: int = Field(64, ge=4)
    pixel_channels: tuple[int, int, int] = (16, 32, 48)
    channels: int = Field(80, ge=4)
    dilations: tuple[int, ...] = Field((1, 2, 4, 8, 1), min_length=1)

    @property
    def takes_pixels(self) -> bool:
        """Whether the network is shown the pixels themselves, not a residual in their place."""
        return {"ela", "wavelet"}.isdisjoint(self.streams)

    @model_validator(mode="after")
    def _check_streams(self) -> Self:
        of_pixels = [stream for stream in self.streams if stream != "traces"]
        if len(set(self.streams)) < len(self.streams):
            raise ValueError("streams must name each stream once")
        if len(of_pixels) > 1 and not {"ela", "wavelet"}.isdisjoint(of_pixels):
            raise ValueError(f"a residual takes the place of the pixels; streams must not join {of_pixels}")
        return self


class LocalizerFitConfig(ConfigModel):
    """How the network is fitted.

    Attributes:
        epochs: of `steps` batches; the learning rate falls along a cosine over all of them.
        steps: an epoch.
        learning_rate: highest, of AdamW.
        warmup: steps of linear rise to it.
        weight_decay: of AdamW.
        dice_weight: of the Dice loss of tampered pictures beside the cross-entropy of blocks.
        score_weight: of the cross-entropy of the image score.
        reliability_weight: of the cross-entropy of the reliability map.
        average: decay a step of the running mean of the weights, which is what is kept.
        precision: "mixed_bfloat16" is the faster one on processors with AVX-512 BF16 and on recent GPUs.
    """

    epochs: int = Field(40, ge=1)
    steps: int = Field(200, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    warmup: int = Field(100, ge=0)
    weight_decay: float = Field(0.01, ge=0)
    dice_weight: float = Field(0.3, ge=0)
    score_weight: float = Field(0.3, ge=0)
    reliability_weight: float = Field(0.1, ge=0)
    average: float = Field(0.998, ge=0, lt=1)
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"


class TrainLocalizerConfig(ConfigModel):
    """What `train-detector` does for a localizer.

    Attributes:
        kind: tells this configuration from a classifier's.
        name: name of the bundle.
        data: what it learns from.
        network: its shape.
        fit: how it is fitted.
        start_from: folder of a run or of a bundle of the same network, or name of a shipped bundle, whose
            weights are the start; None starts anew.
        calibration: labelled data set whose validation split, as twins, calibrates score and map; None
            calibrates on the synthesized validation pairs.
        seed: of weights, forgeries and order.
        workers: processes that make batches.
    """

    kind: Literal["localizer"] = "localizer"
    name: str = Field("localizer", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    data: LocalizerDataConfig = LocalizerDataConfig()
    network: LocalizerNetworkConfig = LocalizerNetworkConfig()
    fit: LocalizerFitConfig = LocalizerFitConfig()
    start_from: Path | None = None
    calibration: DatasetConfig | None = None
    seed: int = Field(20240, ge=0)
    workers: int = Field(2, ge=1)
