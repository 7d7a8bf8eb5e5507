"""What `bundle.yaml` of kind "localizer" holds: the files, the network, thresholds, calibration, worth."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from imforensics.config import ConfigModel
from imforensics.metrics.calibration import Calibration
from imforensics.models.bundle.manifest import FILE_NAME, PartsManifest, Provenance
from imforensics.models.localizer.config import LocalizerNetworkConfig
from imforensics.models.localizer.runtime import PARTS

Role = Literal["authentic photographs", "forgeries with masks", "calibration", "photographs for thresholds"]


LEARNED_FROM: tuple[Role, ...] = ("authentic photographs", "forgeries with masks")


class ExportDifference(ConfigModel):
    """Largest absolute differences of the exported, windowed network to the trained Keras one on the whole.

    Attributes:
        map: of the map's probabilities.
        reliability: of the reliability map's.
        score: of the score.
        pictures: that were compared.
    """

    map: float = Field(ge=0)
    reliability: float = Field(ge=0)
    score: float = Field(ge=0)
    pictures: int = Field(ge=1)


class MapThreshold(ConfigModel):
    """Probability of a block from which on it is marked.

    Attributes:
        value: in (0, 1).
        policy: short name of the rule that chose it, such as "f1_fixed".
        population: what it was chosen on, with counts.
    """

    value: float = Field(gt=0, lt=1)
    policy: str = Field(min_length=1)
    population: str = Field(min_length=1)


class DataSource(ConfigModel):
    """One data set that the bundle rests on.

    Attributes:
        name: of the data set.
        title: its own name.
        licence: as its publisher states it.
        role: what it was used for.
        images: of its split that was used.
    """

    name: str
    title: str
    licence: str
    role: Role
    images: int = Field(ge=0)


class LocalizerMeasurement(ConfigModel):
    """How good the bundle was on one protocol.

    Attributes:
        protocol: as `evaluate` names it: "raw", "resaved_q90", "twin", ...
        dataset: name of the data set.
        split: of it.
        n_authentic: number of authentic images.
        n_tampered: number of tampered images.
        metrics: name to value, as `evaluate` names them.
        intervals: name to lower and upper end of its 95 % bootstrap interval over source groups.
    """

    protocol: str = Field(min_length=1)
    dataset: str
    split: Literal["val", "test", "all"]
    n_authentic: int = Field(ge=0)
    n_tampered: int = Field(ge=0)
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)


class CardPicture(ConfigModel):
    """A picture of the model card.

    Attributes:
        file: its name within the bundle.
        words: what it shows.
    """

    file: str = Field(pattern=FILE_NAME)
    words: str = Field(min_length=1)


class LocalizerProvenance(Provenance):
    """Where the network comes from, see `Provenance`.

    Attributes:
        started_from: config digest of the run whose weights were the start; None for one trained anew.
        epochs: fitted.
        steps: batches fitted in all.
        pictures: shown in all, twins counted.
        seconds: of the fit.
        hardware: that it ran on, in words.
    """

    started_from: str | None = None
    epochs: int = Field(ge=1)
    steps: int = Field(ge=1)
    pictures: int = Field(ge=1)
    seconds: float = Field(ge=0)
    hardware: str


class LocalizerManifest(PartsManifest):
    """The whole of `bundle.yaml`, see `PartsManifest`.

    Attributes:
        network: its shape, which says what it is shown.
        parameters: number of weights.
        reach: blocks beyond a window that stem and trunk look at.
        difference: to the trained network.
        uses_peak: the score rests on the map's peak too, see `LocalizerRuntime`.
        map_threshold: from which on a block is marked.
        calibration: of the image score; None where it was not calibrated.
        training: what it learned from, in a few sentences.
        sources: data that it rests on.
        measurements: on validation and test data.
        limits: what this network in particular does not do, one sentence each.
        pictures: of cases where it fails, for the card.
        provenance: where it comes from.
    """

    made_by = "train-detector"
    part_names = PARTS

    kind: Literal["localizer"] = "localizer"
    network: LocalizerNetworkConfig
    parameters: int = Field(ge=1)
    reach: tuple[int, int] = Field(description="blocks")
    difference: ExportDifference
    uses_peak: bool = False
    map_threshold: MapThreshold
    calibration: Calibration | None = None
    training: str
    sources: tuple[DataSource, ...] = ()
    measurements: tuple[LocalizerMeasurement, ...] = ()
    limits: tuple[str, ...] = ()
    pictures: tuple[CardPicture, ...] = ()
    provenance: LocalizerProvenance

    @property
    def learned_from(self) -> frozenset[str]:
        """The data sets of photographs and forgeries."""
        return frozenset(source.name for source in self.sources if source.role in LEARNED_FROM)

    @model_validator(mode="after")
    def _check_reach(self) -> Self:
        if min(self.reach) < 0:
            raise ValueError(f"reach must not be negative; received {self.reach}")
        return self

    def find_measurement(self, protocol: str, *, split: str = "test") -> LocalizerMeasurement | None:
        """The first measurement on one protocol and split, None where there is none."""
        for measurement in self.measurements:
            if (measurement.protocol, measurement.split) == (protocol, split):
                return measurement
        return None
