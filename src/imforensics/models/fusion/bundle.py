"""Fusion models on disk: `fusion.yaml`, found by name or path and checked against its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from imforensics.config import ConfigModel, config_digest
from imforensics.errors import BundleError
from imforensics.metrics.fusion_model import FusionModel
from imforensics.models.bundle.files import check_content, check_version, parse_mapping
from imforensics.models.bundle.shipped import find_folder, list_shipped

FUSION_FILE = "fusion.yaml"
FUSION_SCHEMA_VERSION = 2  # 1, without classes of evidence, is read too
FusionPairs = Literal["twin", "exact_twin"]


class FusedMethod(ConfigModel):
    """How a method was run when its scores were fitted on.

    Attributes:
        options: every option in force.
        bundles: name of each trained bundle it used to its SHA-256.
    """

    options: dict[str, Any]
    bundles: dict[str, str] = Field(default_factory=dict)


class FusionSource(ConfigModel):
    """One part of the data.

    Attributes:
        dataset: name of the data set.
        split: "train" or "val"; a test split is never used.
        role: "twins" and "made_pairs" were fitted and calibrated on; "camera_photographs" and
            "other_photographs" bound the false alarms of the label and of the map.
        trials: pictures shown to the methods.
        used: of those, how many entered.
        left_out: reason to number of pictures.
    """

    dataset: str
    split: Literal["train", "val"]
    role: Literal["twins", "made_pairs", "camera_photographs", "other_photographs"]
    trials: int = Field(ge=0)
    used: int = Field(ge=0)
    left_out: dict[str, int] = Field(default_factory=dict)


class FusionProvenance(ConfigModel):
    """Where a fusion model comes from.

    Attributes:
        created_at: UTC.
        command: as given.
        tool_version: of imforensics.
        commit: of its source, None where it was not run from a checkout.
        config_digest: SHA-256 of the resolved configuration.
        seed: of the folds.
        sources: the data.
        versions: of Python and each library.
    """

    created_at: datetime
    command: tuple[str, ...]
    tool_version: str
    commit: str | None
    config_digest: str
    seed: int
    sources: tuple[FusionSource, ...]
    versions: dict[str, str]


class FusionManifest(ConfigModel):
    """The content of `fusion.yaml`, apart from its digest.

    Attributes:
        schema_version: of this format.
        name: of the fusion.
        pairs: which twins it was fitted on; "exact_twin" takes those that one encoder wrote.
        methods: name of each method to how it was run; other settings are outside the calibration.
        model: weights and calibration.
        provenance: where it comes from.
    """

    schema_version: Literal[1, 2] = 2
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")
    pairs: FusionPairs
    methods: dict[str, FusedMethod] = Field(min_length=1)
    model: FusionModel
    provenance: FusionProvenance


@dataclass(frozen=True, slots=True)
class FusionBundle:
    """A fusion model that was read and checked.

    Attributes:
        folder: where it lies.
        manifest: the checked content of fusion.yaml.
        digest: SHA-256 of fusion.yaml.
    """

    folder: Path
    manifest: FusionManifest
    digest: str

    @property
    def name(self) -> str:
        """Name of the fusion."""
        return self.manifest.name

    def describe_unlike(self, method: str, options: dict[str, Any], bundles: dict[str, str]) -> str | None:
        """How a method is run in another way than the fusion was fitted with; None where it is the same.

        Args:
            method: name of the method.
            options: in force now.
            bundles: name to SHA-256 of those in use now.

        Returns:
            A clause; None also for a method that the fusion does not use, or gives no weight.
        """
        fitted = self.manifest.methods.get(method)
        weighed = {part.method for part in self.manifest.model.inputs if part.has_weight}
        if fitted is None or method not in weighed:
            return None
        changed = [  # which bundle it is goes by digest, not by name or path
            key for key, value in fitted.options.items() if key != "bundle" and options.get(key) != value
        ]
        if changed:
            return f"{method} runs with another {changed[0]} than the fusion was fitted with"
        if sorted(bundles.values()) != sorted(fitted.bundles.values()):
            return f"{method} runs with another trained bundle than the fusion was fitted with"
        return None


def load_fusion(path_or_name: Path | str) -> FusionBundle:
    """Read a fusion model and check it against its digest.

    Args:
        path_or_name: name of a shipped fusion, or the folder of one: a Path, or a string with a path
            separator such as "./my_fusion".

    Returns:
        The fusion.

    Raises:
        BundleError: there is none, it is of another version or invalid, or it was changed after it was made.
    """
    folder = find_folder(path_or_name, file_name=FUSION_FILE, what="fusion")
    path = folder / FUSION_FILE
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder} is no fusion: {FUSION_FILE} cannot be read ({error.strerror}). Expected a folder as "
            "train-fusion writes it."
        ) from None
    return FusionBundle(folder, _parse(path, text), hashlib.sha256(text).hexdigest())


def list_fusions() -> tuple[str, ...]:
    """Names of the fusions that ship with the package, sorted."""
    return list_shipped(FUSION_FILE)


def dump_fusion(manifest: FusionManifest) -> str:
    """The manifest as YAML, its digest in the last line."""
    content = manifest.model_dump(mode="json")
    content["sha256"] = config_digest(content)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _parse(path: Path, text: bytes) -> FusionManifest:
    content = parse_mapping(path, text)
    expected_version = 1 if content.get("schema_version") == 1 else FUSION_SCHEMA_VERSION
    check_version(path, content, expected=expected_version, again="Train the fusion again")
    expected = content.pop("sha256", None)
    try:
        found = config_digest(content)
    except (TypeError, ValueError):
        found = "none: it holds values that are not plain"
    if found != expected:
        raise BundleError(
            f"{path} was changed after it was made: expected SHA-256 {expected}, received {found}. Get the "
            "fusion again."
        )
    return check_content(path, content, FusionManifest, what="fusion")
