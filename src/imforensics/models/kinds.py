"""Every kind of bundle: how it is loaded, trained and evaluated; one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from imforensics.config import apply_override, read_mapping
from imforensics.errors import ConfigError
from imforensics.models.bundle.files import MANIFEST_FILE, find_bundle
from imforensics.models.bundle.shipped import list_shipped

if TYPE_CHECKING:
    from imforensics.config import ConfigModel
    from imforensics.models.bundle.manifest import Manifest
    from imforensics.models.bundle.runtime import TrainedBundle
    from imforensics.models.training.run import TrainingRun, TrainResult


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind; the places are "module:name" below `imforensics.models` and imported when they are needed.

    Attributes:
        bundle: subclass of `TrainedBundle`.
        method: that runs its bundles.
        command: that trains it.
        config: class of the training's configuration.
        training: function of configuration and run.
    """

    bundle: str
    method: str
    command: str
    config: str
    training: str

    def load(self, path_or_name: Path | str) -> TrainedBundle[Manifest]:
        """Read a bundle of the kind, see `TrainedBundle.load`."""
        bundle: TrainedBundle[Manifest] = _find(self.bundle).load(path_or_name)
        return bundle

    @property
    def config_type(self) -> type[ConfigModel]:
        """The class of the training's configuration."""
        found: type[ConfigModel] = _find(self.config)
        return found

    def train(self, config: ConfigModel, run: TrainingRun) -> TrainResult[Manifest]:
        """Train, measure and export a network.

        Args:
            config: of `config_type`.
            run: where it is written.
        """
        result: TrainResult[Manifest] = _find(self.training)(config, run)
        return result


KINDS: dict[str, Kind] = {
    "classifier": Kind(
        "classifier.bundle:Bundle",
        method="ela_cnn",
        command="train-detector",
        config="classifier.config:TrainDetectorConfig",
        training="classifier.train:train_detector",
    ),
    "localizer": Kind(
        "localizer.bundle:LocalizerBundle",
        method="localizer",
        command="train-detector",
        config="localizer.config:TrainLocalizerConfig",
        training="localizer.train:train_localizer",
    ),
    "gan": Kind(
        "gan.bundle:GanBundle",
        method="gan_reconstruction",
        command="train-gan",
        config="gan.config:TrainGanConfig",
        training="gan.train:train_gan",
    ),
    "autoencoder": Kind(
        "autoencoder.bundle:AutoencoderBundle",
        method="autoencoder_residual",
        command="train-autoencoder",
        config="autoencoder.config:TrainAutoencoderConfig",
        training="autoencoder.train:train_autoencoder",
    ),
}


def list_bundles(kind: str) -> tuple[str, ...]:
    """Names of the bundles of one kind that ship with the package, sorted."""
    return tuple(name for name in list_shipped(MANIFEST_FILE) if read_kind(name) == kind)


def read_kind(path_or_name: Path | str) -> str:
    """What a bundle says it is; one that cannot be read counts as a classifier: its loader says why.

    Raises:
        BundleError: nothing of that name ships.
    """
    try:
        text = (find_bundle(path_or_name) / MANIFEST_FILE).read_text(encoding="utf-8")
        content: Any = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError):
        return "classifier"
    kind = content.get("kind") if isinstance(content, dict) else None
    return kind if isinstance(kind, str) and kind in KINDS else "classifier"


def choose_kind(command: str, path: Path | None, overrides: Sequence[str] = ()) -> Kind:
    """The kind that a configuration is for.

    Args:
        command: that trains; where it trains several kinds, `kind` of the configuration chooses, by default
            the first.
        path: YAML file; None takes the defaults.
        overrides: "a.b=c" assignments laid over it, see `load_config`.

    Raises:
        ConfigError: the file cannot be read, or another kind is named.

    >>> choose_kind("train-detector", None, ["kind=localizer"]).config_type.__name__
    'TrainLocalizerConfig'
    """
    kinds = {name: kind for name, kind in KINDS.items() if kind.command == command}
    values = {} if path is None else read_mapping(path)
    for override in overrides:
        apply_override(values, override)
    first = next(iter(kinds))
    name = values.get("kind", first) if len(kinds) > 1 else first
    if not isinstance(name, str) or name not in kinds:
        where = "defaults" if path is None else path
        raise ConfigError(f"{where}: kind must be one of {', '.join(kinds)}, received {name!r}")
    return kinds[name]


def _find(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"imforensics.models.{module}"), name)
