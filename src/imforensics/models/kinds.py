"""Which kind of detector a configuration of `train-detector` is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imforensics.config import apply_override, read_mapping
from imforensics.errors import ConfigError
from imforensics.models.classifier.config import TrainDetectorConfig
from imforensics.models.localizer.config import TrainLocalizerConfig

KINDS: dict[str, type[TrainDetectorConfig | TrainLocalizerConfig]] = {
    "classifier": TrainDetectorConfig,
    "localizer": TrainLocalizerConfig,
}


def detector_config(
    path: Path | None, overrides: Sequence[str] = ()
) -> type[TrainDetectorConfig | TrainLocalizerConfig]:
    """The configuration that a file is read as: by its `kind`, a classifier's where it names none.

    Args:
        path: YAML file; None takes the defaults.
        overrides: "a.b=c" assignments laid over it, see `load_config`.

    Raises:
        ConfigError: the file cannot be read, or another kind is named.

    >>> detector_config(None, ["kind=localizer"]).__name__
    'TrainLocalizerConfig'
    """
    values = {} if path is None else read_mapping(path)
    for override in overrides:
        apply_override(values, override)
    kind = values.get("kind", "classifier")
    if not isinstance(kind, str) or kind not in KINDS:
        where = "defaults" if path is None else path
        raise ConfigError(f"{where}: kind must be one of {', '.join(KINDS)}, received {kind!r}")
    return KINDS[kind]
