"""Which kind of detector a configuration of `train-detector` is for."""

from __future__ import annotations

from pathlib import Path

from imforensics.config import read_mapping
from imforensics.errors import ConfigError
from imforensics.models.detector_config import TrainDetectorConfig
from imforensics.models.localizer_config import TrainLocalizerConfig

KINDS: dict[str, type[TrainDetectorConfig | TrainLocalizerConfig]] = {
    "classifier": TrainDetectorConfig,
    "localizer": TrainLocalizerConfig,
}


def detector_config(path: Path | None) -> type[TrainDetectorConfig | TrainLocalizerConfig]:
    """The configuration that a file is read as: by its `kind`, a classifier's where it names none.

    Raises:
        ConfigError: the file cannot be read, or names another kind.
    """
    kind = "classifier" if path is None else read_mapping(path).get("kind", "classifier")
    if kind not in KINDS:
        raise ConfigError(f"{path}: kind must be one of {', '.join(KINDS)}, received {kind!r}")
    return KINDS[kind]
