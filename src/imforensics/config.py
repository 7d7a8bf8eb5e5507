"""Configurations: pydantic models read from YAML, every problem reported at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from imforensics.errors import ConfigError
from imforensics.method_table import PROFILES
from imforensics.types import DEFAULT_MAX_PIXELS, JsonValue

DEFAULT_FUSION = "casia_twin_fusion"


class ConfigModel(BaseModel):
    """Base of every configuration: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


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

    Raises:
        ConfigError: there is no such profile.

    >>> list(profile_methods("fast"))
    ['metadata', 'content_credentials', 'jpeg_structure', 'double_quantization', 'dct_histograms', 'ela']
    """
    if profile not in PROFILES:
        raise ConfigError(f"unknown profile {profile!r}; expected one of {', '.join(PROFILES)}")
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


def load_config(
    model: type[ModelT],
    path: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    profile: str | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
) -> ModelT:
    """Read a configuration.

    Args:
        model: which configuration is expected.
        path: YAML file; None takes the defaults.
        overrides: "a.b=c" assignments laid over the file and the profile, the value in YAML.
        profile: key of PROFILES: the methods, where the file names none; None takes "default".
        settings: values that take the place of those in the file.

    Returns:
        The checked configuration.

    Raises:
        ConfigError: the file cannot be read, holds unknown keys or wrong values (all are listed), or names
            methods beside a profile.

    >>> load_config(ScanConfig, overrides=["timeout_seconds=5"]).timeout_seconds
    5.0
    """
    values = {**({} if path is None else read_mapping(path)), **settings}
    if profile is not None and "methods" in values:
        where = "the call" if "methods" in settings else str(path)
        raise ConfigError(f"{where} names the methods: leave out the profile {profile!r}, or `methods` there")
    if issubclass(model, AnalyzeConfig):
        values.setdefault("methods", profile_methods(profile or "default"))
    for override in overrides:
        apply_override(values, override)
    where = str(path) if path is not None else "this"
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


def read_mapping(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML file, unchecked; empty for an empty file.

    Raises:
        ConfigError: the file cannot be read, or holds no keys.
    """
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


def apply_override(values: dict[str, Any], override: str) -> None:
    """Lay one "a.b=c" assignment over values, in place.

    Raises:
        ConfigError: it is not of that form, goes through a value, or its own value is not YAML.
    """
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
