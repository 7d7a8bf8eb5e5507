"""Configurations: pydantic models read from YAML, every problem reported at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imforensics.errors import ConfigError
from imforensics.types import DEFAULT_MAX_PIXELS, JsonValue

# Named sets of methods: "default" holds what has proved itself, "full" every method there is (docs/adr/0014).
FAST_METHODS = (
    "metadata",
    "content_credentials",
    "jpeg_structure",
    "double_quantization",
    "dct_histograms",
    "ela",
)
DEFAULT_METHODS = (*FAST_METHODS, "jpeg_ghost", "jpeg_grid", "wavelet_noise", "ela_cnn")
FULL_METHODS = (
    *DEFAULT_METHODS,
    "nonaligned_double_quantization",
    "splicebuster",
    "noisesniffer",
    "median_filtering",
    "local_blur",
    "cfa",
    "resampling",
    "copy_move",
    "copy_move_dense",
    "gan_reconstruction",
    "autoencoder_residual",
)
PROFILES = {"fast": FAST_METHODS, "default": DEFAULT_METHODS, "full": FULL_METHODS}

DEFAULT_FUSION = "casia_twin_fusion"


class ConfigModel(BaseModel):
    """Base of every configuration: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ModelT = TypeVar("ModelT", bound=ConfigModel)


class AnalyzeConfig(ConfigModel):
    """What `analyze` does with one file.

    Attributes:
        max_pixels: images with more pixels are refused.
        methods: name of each method to run, in order, to its options.
        fusion: what makes one statement of their scores: name of a shipped fusion, or path of a folder with
            one (with a path separator in it); None rests the statement on one method's own calibration.
    """

    max_pixels: int = Field(DEFAULT_MAX_PIXELS, gt=0)
    methods: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: profile_methods("default"),
        min_length=1,
    )
    fusion: str | None = Field(DEFAULT_FUSION, min_length=1)


def profile_methods(profile: str) -> dict[str, dict[str, Any]]:
    """The methods of a profile, each without options of its own.

    >>> list(profile_methods("fast"))
    ['metadata', 'content_credentials', 'jpeg_structure', 'double_quantization', 'dct_histograms', 'ela']
    """
    return {name: {} for name in PROFILES[profile]}


class ScanConfig(AnalyzeConfig):
    """What `scan` does with a folder: `analyze` for each file, and how to go through them.

    Attributes:
        recursive: descend into folders.
        timeout_seconds: a file that takes longer becomes a row with that error.
        thumbnail_size: longest side of the thumbnails in index.html, in pixels.
    """

    recursive: bool = True
    timeout_seconds: float = Field(300.0, gt=0)
    thumbnail_size: int = Field(160, ge=16, le=1024)


class EvaluateConfig(AnalyzeConfig):
    """How `evaluate` runs methods; what it runs them on is named on the command line.

    Attributes:
        timeout_seconds: a trial that takes longer becomes a record with that error.
        resamples: of the bootstrap over source groups.
        cases: pictures of best and of worst cases on each method's contact sheet; 0 draws none.
    """

    timeout_seconds: float = Field(300.0, gt=0)
    resamples: int = Field(2000, ge=100, le=100_000)
    cases: int = Field(6, ge=0, le=24)


class DatasetConfig(ConfigModel):
    """Which data set to learn from.

    Attributes:
        name: name of a data set adapter.
        root: its folder; None looks below the folder that IMFORENSICS_DATA names.
    """

    name: str = Field("casia1", min_length=1)
    root: Path | None = None


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

    name: str = Field("detector", pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    dataset: DatasetConfig = DatasetConfig()
    pairs: Literal["raw", "twin", "exact_twin"] = "raw"
    photos: DatasetConfig | None = None
    input: NetworkInputConfig = NetworkInputConfig()
    network: NetworkConfig = NetworkConfig()
    fit: FitConfig = FitConfig()
    seed: int = Field(20240, ge=0)
    workers: int | None = Field(None, ge=1)


def load_config(
    model: type[ModelT],
    path: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    profile: str | None = None,
) -> ModelT:
    """Read a configuration.

    Args:
        model: which configuration is expected.
        path: YAML file; None takes the defaults.
        overrides: "a.b=c" assignments laid over the file and the profile, the value in YAML.
        profile: key of PROFILES: the methods, where the file names none; None takes "default".

    Returns:
        The checked configuration.

    Raises:
        ConfigError: the file cannot be read, holds unknown keys or wrong values (all are listed), or names
            methods beside a profile.

    >>> load_config(ScanConfig, overrides=["timeout_seconds=5"]).timeout_seconds
    5.0
    """
    values = {} if path is None else _read_mapping(path)
    if profile is not None and "methods" in values:
        raise ConfigError(f"{path} names the methods: leave out the profile {profile!r}, or `methods` there")
    if issubclass(model, AnalyzeConfig):
        values.setdefault("methods", profile_methods(profile or "default"))
    for override in overrides:
        _apply_override(values, override)
    where = str(path) if path is not None else "defaults"
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in describe_problems(model, error))
        raise ConfigError(f"{where} is not a valid configuration:\n{problems}") from None


def describe_problems(model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    """One line for each problem: path, what is wrong, nearest key where one is unknown."""
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"]) or "(top level)"
        if problem["type"] == "extra_forbidden":
            known = _keys_at(model, problem["loc"][:-1])
            nearest = get_close_matches(str(problem["loc"][-1]), known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"known keys: {', '.join(known)}"
            yield f"{path}: unknown key; {hint}"
        else:
            yield f"{path}: {problem['msg']} (received {problem['input']!r})"


def dump_config(config: BaseModel) -> str:
    """The whole configuration as YAML, defaults too."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def config_digest(settings: Mapping[str, JsonValue]) -> str:
    """SHA-256 of the settings in canonical JSON."""
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist. Start from a file in configs/") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, received {type(content).__name__}")
    return cast("dict[str, Any]", content)


def _apply_override(values: dict[str, Any], override: str) -> None:
    path, separator, text = override.partition("=")
    if not separator or not path:
        raise ConfigError(f"override {override!r} is not of the form a.b=value")
    *parents, last = path.split(".")
    target = values
    for key in parents:
        target = target.setdefault(key, {})
        if not isinstance(target, dict):
            raise ConfigError(f"override {override!r}: {key} is a value, not a group of keys")
    try:
        target[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not YAML: {error}") from None


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    current: type[BaseModel] = model
    for part in location:
        field = current.model_fields.get(str(part))
        nested = [t for t in _types_of(field.annotation) if _is_model(t)] if field is not None else []
        if not nested:
            return []
        current = nested[0]
    return list(current.model_fields)


def _types_of(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) or (annotation,)


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
