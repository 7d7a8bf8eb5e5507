"""The files of a bundle of any kind: found, read, checked against what bundle.yaml says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from imforensics.config import describe_problems
from imforensics.errors import BundleError
from imforensics.models.bundle.manifest import SCHEMA_VERSION, Manifest
from imforensics.models.bundle.shipped import find_folder

MANIFEST_FILE = "bundle.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where PyYAML has it
MAX_MODEL_BYTES = 200_000_000  # far above any model of ours; a larger file is not read into memory

ContentT = TypeVar("ContentT", bound=BaseModel)
ManifestT = TypeVar("ManifestT", bound=Manifest)


def find_bundle(path_or_name: Path | str) -> Path:
    """The folder of a bundle of any kind, see `find_folder`."""
    return find_folder(path_or_name, file_name=MANIFEST_FILE, what="bundle")


def read_manifest(folder: Path, model: type[ManifestT]) -> tuple[ManifestT, bytes]:
    """Read and check the bundle.yaml of a bundle.

    Args:
        folder: of the bundle.
        model: what bundle.yaml of the wanted kind has to hold.

    Returns:
        The checked content, and the bytes it was read from.

    Raises:
        BundleError: there is no bundle.yaml, or it is of another kind or version or invalid.
    """
    path, kind = folder / MANIFEST_FILE, model.model_fields["kind"].default
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder} is no bundle: {MANIFEST_FILE} cannot be read ({error.strerror}). Expected a folder "
            f"with {MANIFEST_FILE} and what it names, as {model.made_by} writes it."
        ) from None
    found = parse_mapping(path, text)
    stated = found.get("kind")
    is_old = stated is None and kind == "classifier"  # the first kind, older than the field
    if stated != kind and not is_old:
        raise BundleError(
            f"{path} is a bundle of kind {stated!r}, expected {kind!r}. Name a bundle that {model.made_by} "
            "made."
        )
    check_version(path, found, expected=SCHEMA_VERSION, again="Export the bundle again")
    return check_content(path, found, model, what="bundle"), text


def parse_mapping(path: Path, text: bytes) -> dict[str, Any]:
    """The keys and values of a YAML file; none where it holds something else.

    Args:
        path: of the file, for the error.
        text: its bytes.

    Raises:
        BundleError: it is not YAML.
    """
    try:
        content: Any = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise BundleError(f"{path} is not YAML: {error}") from None
    return content if isinstance(content, dict) else {}


def check_version(path: Path, found: dict[str, Any], *, expected: int, again: str) -> None:
    """Refuse a file of another version of its format.

    Args:
        path: of the file, for the error.
        found: its content.
        expected: version.
        again: what makes the file anew, for the error: "Export the bundle again".

    Raises:
        BundleError: the version is another one, or is not stated.
    """
    version = found.get("schema_version")
    if version != expected:
        raise BundleError(
            f"{path} has schema_version {version!r}, expected {expected}. {again} with this version of "
            "imforensics, or install the version that made it."
        )


def check_content(path: Path, found: dict[str, Any], model: type[ContentT], *, what: str) -> ContentT:
    """The content of a file as its model.

    Args:
        path: of the file, for the error.
        found: its content.
        model: what it has to hold.
        what: it is, in words, for the error.

    Raises:
        BundleError: keys are unknown or missing, or values wrong; all are listed.
    """
    try:
        return model.model_validate(found)
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in describe_problems(model, error))
        raise BundleError(f"{path} is not a valid {what}:\n{problems}") from None


def read_model(path: Path, sha256: str, *, what: str = "model") -> bytes:
    """Read a file that bundle.yaml names.

    Args:
        path: of the file.
        sha256: that bundle.yaml states.
        what: the file holds, for the error.

    Raises:
        BundleError: it cannot be read, is too large, or is another file.
    """
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise BundleError(f"{path} is larger than {MAX_MODEL_BYTES} bytes: not a model of ours.")
        content = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}. Get the bundle again.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise BundleError(
            f"{path} is not the {what} that {MANIFEST_FILE} names: expected SHA-256 {sha256}, received "
            f"{found}. Get the bundle again."
        )
    return content
