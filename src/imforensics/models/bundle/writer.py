"""A bundle on disk: the networks, bundle.yaml, the card, and what lies beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imforensics.errors import BundleError
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.bundle.manifest import Manifest
from imforensics.outputs import write_atomically

CARD_FILE = "MODEL_CARD.md"


def write_bundle(
    folder: Path,
    manifest: Manifest,
    parts: Mapping[str, bytes],
    others: Mapping[str, str | bytes],
    *,
    max_bytes: int | None = None,
) -> None:
    """Write a bundle, or what is new of one; bundle.yaml comes last.

    Args:
        folder: of the bundle; made where it is missing.
        manifest: content of bundle.yaml.
        parts: ONNX models by part; none leaves those that are there.
        others: name to content of the files beside them.
        max_bytes: that the bundle may have; None sets no limit.

    Raises:
        BundleError: it would be larger; nothing is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, str | bytes] = {
        **{manifest.parts[part].file: content for part, content in parts.items()},
        **others,
        MANIFEST_FILE: manifest.to_yaml(),
    }
    there = [path for path in folder.iterdir() if path.is_file() and path.name not in contents]
    size = sum(path.stat().st_size for path in there) + sum(len(content) for content in contents.values())
    if max_bytes is not None and size > max_bytes:
        raise BundleError(f"{folder} would hold {size} bytes, expected at most {max_bytes}. Make it smaller.")
    for name, content in contents.items():
        write_atomically(folder / name, content)
