"""What `bundle.yaml` holds: a trained model's input, calibration, provenance and measured performance."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import yaml
from pydantic import Field

from imforensics.config import ConfigModel
from imforensics.metrics.calibration import Calibration
from imforensics.models.classifier.config import NetworkInputConfig

SCHEMA_VERSION = 1
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
Pairs = Literal["raw", "twin", "exact_twin"]


class ModelFile(ConfigModel):
    """The file that the runtime loads.

    Attributes:
        file: its name within the bundle.
        sha256: of its bytes.
        runtime: what it runs on.
        max_difference_to_keras: largest absolute difference of scores to the trained Keras model on the
            validation images.
    """

    file: str = Field(pattern=FILE_NAME)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    runtime: Literal["onnxruntime"]
    max_difference_to_keras: float = Field(ge=0)


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


class Provenance(ConfigModel):
    """Where the model comes from.

    Attributes:
        created_at: UTC.
        tool_version: of imforensics.
        commit: of its source, None where it was not run from a checkout.
        config_digest: SHA-256 of the resolved training configuration.
        dataset: name of the training set.
        pairs: what it was trained on, see `Measurement`.
        train_images: images that it was fitted on.
        val_images: images that early stopping and thresholds rest on.
        seed: of everything random.
        epochs: epochs fitted.
        best_epoch: the epoch that was kept.
        versions: of Python and each library.
    """

    created_at: datetime
    tool_version: str
    commit: str | None
    config_digest: str
    dataset: str
    pairs: Pairs
    train_images: int
    val_images: int
    seed: int
    epochs: int
    best_epoch: int
    versions: dict[str, str]


class BundleManifest(ConfigModel):
    """The whole of `bundle.yaml`.

    Attributes:
        schema_version: of this format.
        name: of the bundle.
        kind: what the model is.
        model: the runtime's file.
        input: its input: (N, height, width, C) float32 in [0, 1].
        thresholds: policy name to threshold of the score, all chosen on validation data.
        calibration: from score to opinion, label thresholds included.
        measurements: on validation and test data.
        shortcut: the header baseline that every raw result stands beside, None without one.
        provenance: where it comes from.
    """

    schema_version: Literal[1] = 1
    name: str
    kind: Literal["classifier"] = "classifier"
    model: ModelFile
    input: NetworkInputConfig
    thresholds: dict[str, float]
    calibration: Calibration
    measurements: tuple[Measurement, ...]
    shortcut: ShortcutMeasurement | None = None
    provenance: Provenance

    def find_measurement(self, pairs: Pairs, *, split: str = "test") -> Measurement | None:
        """The measurement on one kind of pairs and split, None where there is none."""
        for measurement in self.measurements:
            if measurement.pairs == pairs and measurement.split == split:
                return measurement
        return None


def dump_manifest(manifest: BundleManifest) -> str:
    """The manifest as YAML."""
    return yaml.safe_dump(manifest.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
