"""What `bundle.yaml` of kind "classifier" holds: input, thresholds, calibration, measured performance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.metrics.calibration import Calibration
from imforensics.models.bundle.manifest import ModelManifest, Provenance
from imforensics.models.classifier.config import NetworkInputConfig

Pairs = Literal["raw", "twin", "exact_twin"]


class Measurement(ConfigModel):
    """How good the model was on one protocol.

    Attributes:
        pairs: "raw": files as they are; "twin": tampered files against their own hosts saved alike;
            "exact_twin": those of them whose encoder was the same, so that only the alteration differs.
        dataset: name of the data set.
        split: "val" or "test".
        n_authentic: number of authentic images.
        n_tampered: number of tampered images.
        threshold: of the score, for the metrics that need one.
        threshold_policy: how it was chosen.
        metrics: name to value.
        intervals: name to lower and upper end of its 95 % bootstrap interval over source groups.
    """

    pairs: Pairs
    dataset: str
    split: Literal["val", "test"]
    n_authentic: int = Field(ge=0)
    n_tampered: int = Field(ge=0)
    threshold: float
    threshold_policy: str
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)


class ShortcutMeasurement(ConfigModel):
    """What a look-up of the file's own encoder settings reaches on the same split, without any pixel.

    Attributes:
        dataset: name of the data set.
        split: evaluated on; the header baseline is learned on the training split.
        features: what is looked up.
        accuracy: share of images rightly told.
        auc: of the header baseline's score.
        n: number of images.
        unseen: images whose settings the training split does not have.
    """

    dataset: str
    split: Literal["val", "test"]
    features: str
    accuracy: float
    auc: float
    n: int
    unseen: int


class ClassifierProvenance(Provenance):
    """Where the model comes from, see `Provenance`.

    Attributes:
        dataset: name of the training set.
        pairs: what it was trained on, see `Measurement`.
        train_images: images that it was fitted on.
        val_images: images that early stopping and thresholds rest on.
        epochs: epochs fitted.
        best_epoch: the epoch that was kept.
    """

    dataset: str
    pairs: Pairs
    train_images: int
    val_images: int
    epochs: int
    best_epoch: int


class BundleManifest(ModelManifest):
    """The whole of `bundle.yaml`, see `ModelManifest`.

    Attributes:
        input: what the network takes: (N, height, width, C) float32 in [0, 1].
        thresholds: policy name to threshold of the score, all chosen on validation data.
        calibration: from score to opinion, label thresholds included.
        measurements: on validation and test data.
        shortcut: the header baseline that every raw result stands beside, None without one.
        provenance: where it comes from.
    """

    made_by = "train-detector"

    kind: Literal["classifier"] = "classifier"
    input: NetworkInputConfig
    thresholds: dict[str, float]
    calibration: Calibration
    measurements: tuple[Measurement, ...]
    shortcut: ShortcutMeasurement | None = None
    provenance: ClassifierProvenance

    @property
    def learned_from(self) -> frozenset[str]:
        """The data set of the training."""
        return frozenset({self.provenance.dataset})

    def find_measurement(self, pairs: Pairs, *, split: str = "test") -> Measurement | None:
        """The measurement on one kind of pairs and split, None where there is none."""
        for measurement in self.measurements:
            if measurement.pairs == pairs and measurement.split == split:
                return measurement
        return None
