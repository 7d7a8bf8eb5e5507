"""What `bundle.yaml` of every kind holds: name, files with their digests, and where a network comes from."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, ClassVar, Literal, Self

import yaml
from pydantic import Field, model_validator

from imforensics import __version__
from imforensics.config import ConfigModel, config_digest
from imforensics.provenance import find_commit

SCHEMA_VERSION = 1
BUNDLE_NAME = r"^[a-z0-9][a-z0-9_]{0,62}$"
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
RECORDED = ("tensorflow", "keras", "onnx", "onnxruntime", "numpy", "pillow", "pywavelets")


class BundleFile(ConfigModel):
    """A file that the runtime loads.

    Attributes:
        file: its name within the bundle.
        sha256: of its bytes.
    """

    file: str = Field(pattern=FILE_NAME)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @classmethod
    def of(cls, part: str, content: bytes, **facts: Any) -> Self:
        """The file of a part of a network.

        Args:
            part: what it does in the network; names the file.
            content: ONNX model.
            facts: the fields of a subclass.
        """
        return cls(file=f"{part}.onnx", sha256=hashlib.sha256(content).hexdigest(), **facts)


class ModelFile(BundleFile):
    """The one file of a network that is not in parts.

    Attributes:
        runtime: what it runs on.
        max_difference_to_keras: largest absolute difference of its output to the trained Keras model's on
            validation data.
    """

    runtime: Literal["onnxruntime"] = "onnxruntime"
    max_difference_to_keras: float = Field(ge=0)


class Provenance(ConfigModel):
    """Where a network comes from; a kind adds what it learned from and for how long.

    Attributes:
        created_at: UTC, of the export.
        tool_version: of imforensics.
        commit: of its source, None where it was not run from a checkout.
        config_digest: SHA-256 of the resolved training configuration.
        seed: of everything random.
        versions: of Python and each library.
    """

    created_at: datetime
    tool_version: str
    commit: str | None
    config_digest: str
    seed: int
    versions: dict[str, str]

    @classmethod
    def record(cls, config: ConfigModel, **facts: Any) -> Self:
        """Where a network comes from that is exported now.

        Args:
            config: of its training, with a seed.
            facts: the fields that a kind adds.
        """
        settings = config.model_dump(mode="json")
        return cls(
            created_at=datetime.now(UTC).replace(microsecond=0),
            tool_version=__version__,
            commit=find_commit(),
            config_digest=config_digest(settings),
            seed=settings["seed"],
            versions={"python": platform.python_version()}
            | {name: metadata.version(name) for name in RECORDED},
            **facts,
        )


class Manifest(ConfigModel):
    """The whole of `bundle.yaml`; the fields of a subclass are what its kind adds.

    Attributes:
        made_by: the command that makes such bundles, for errors.
        part_word: what a part is called in errors.
        schema_version: of this format.
        name: of the bundle.
        kind: key of `KINDS`.
        provenance: where the network comes from.
    """

    made_by: ClassVar[str]
    part_word: ClassVar[str] = "model"

    schema_version: Literal[1] = 1
    name: str = Field(pattern=BUNDLE_NAME)
    kind: str
    provenance: Provenance

    @property
    def parts(self) -> Mapping[str, BundleFile]:
        """The runtime's files by part, in the order in which the bundle's digest takes them."""
        raise NotImplementedError

    @property
    def learned_from(self) -> frozenset[str]:
        """Data sets whose photographs or forgeries of the training split the network knows."""
        return frozenset()

    def to_yaml(self) -> str:
        """The text of `bundle.yaml`."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)


class ModelManifest(Manifest):
    """Of a kind whose network is one file.

    Attributes:
        model: the runtime's file.
    """

    model: ModelFile

    @property
    def parts(self) -> Mapping[str, BundleFile]:
        """The one file."""
        return {"model": self.model}


class PartsManifest(Manifest):
    """Of a kind whose network is in parts.

    Attributes:
        part_names: of all parts.
        runtime: what the files run on.
        files: part to file.
    """

    part_word: ClassVar[str] = "network"
    part_names: ClassVar[tuple[str, ...]]

    runtime: Literal["onnxruntime"] = "onnxruntime"
    files: Mapping[str, BundleFile]

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        missing = [part for part in self.part_names if part not in self.files]
        unknown = sorted(set(self.files) - set(self.part_names))
        if missing or unknown:
            what = f"no file for {', '.join(missing)}" if missing else f"unknown part {', '.join(unknown)}"
            raise ValueError(f"{what}; expected one for each of {', '.join(self.part_names)}")
        return self

    @property
    def parts(self) -> Mapping[str, BundleFile]:
        """One file for each part."""
        return {part: self.files[part] for part in self.part_names}
