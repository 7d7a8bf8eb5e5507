"""Anybody's own images: an authentic/ + tampered/ folder, or a CSV manifest."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, get_args

from imforensics.datasets.base import (
    Dataset,
    DatasetAdapter,
    DatasetCard,
    layout_error,
)
from imforensics.datasets.layout import build_dataset, index_by_stem
from imforensics.datasets.lists import DOCS, SPLITS, Split
from imforensics.datasets.rasters import list_images
from imforensics.errors import DatasetError
from imforensics.types import Manipulation, Sample

MANIFEST_NAME = "manifest.csv"
_COLUMNS = ("image", "label", "mask", "group", "manipulation", "split", "host", "donor")
_MORE_COLUMNS = ("device", "area", "delivery")  # of a made set; not read
_LABELS: dict[str, Literal[0, 1]] = {"0": 0, "authentic": 0, "1": 1, "tampered": 1}
_MANIPULATIONS: tuple[str, ...] = get_args(Manipulation)
_MASK_SUFFIXES = ("", "_gt", "_mask")

CARD = DatasetCard(
    name="folder",
    title="Folder or manifest",
    licence="the owner's",
    citation="none: your own images",
    layout=(
        "authentic/<name>.jpg ...\n"
        "tampered/<name>.jpg ...\n"
        "masks/<name>.png ...      (or <name>_gt.png, <name>_mask.png; white = tampered; optional)\n"
        "or manifest.csv with the columns image,label[,mask,group,manipulation,split,host,donor]"
    ),
)


def _read(root: Path) -> Dataset:
    if root.is_file():
        return _read_manifest(root)
    if (root / MANIFEST_NAME).is_file():
        return _read_manifest(root / MANIFEST_NAME)
    return _read_folders(root)


def _read_folders(root: Path) -> Dataset:
    folders = {name: root / name for name in ("authentic", "tampered")}
    for name, folder in folders.items():
        if not folder.is_dir():
            raise layout_error(CARD, root, f"has no folder {name}")
    samples = [
        Sample(path, label, path.relative_to(folder).with_suffix("").as_posix())
        for name, folder in folders.items()
        for path in list_images(folder, recursive=True)
        for label in (_LABELS[name],)
    ]
    masks_folder = root / "masks"
    if not masks_folder.is_dir():
        return build_dataset(CARD, root, samples, masks={})
    masks = index_by_stem([masks_folder], recursive=True)
    tampered = [s.image_path for s in samples if s.label == 1]
    return build_dataset(CARD, root, samples, masks={path: _mask_of(path, masks) for path in tampered})


def _mask_of(path: Path, masks: Mapping[str, Path]) -> Path | None:
    for suffix in _MASK_SUFFIXES:
        if found := masks.get(f"{path.stem.lower()}{suffix}"):
            return found
    return None


def _read_manifest(path: Path) -> Dataset:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = tuple(reader.fieldnames or ())
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as CSV in UTF-8: {error}. See {DOCS}") from None
    _check_columns(path, columns)
    samples: dict[Path, Sample] = {}
    masks: dict[Path, Path | None] = {}
    splits: dict[Path, Split] = {}
    for line, row in rows:
        if None in row or None in row.values():
            raise DatasetError(
                f"{path}, line {line}: expected {len(columns)} cells, one per column. See {DOCS}"
            )
        sample = _read_row(path, line, row)
        if sample.image_path in samples:
            raise _cell_error(path, line, "image", f"{row['image']} is listed twice")
        samples[sample.image_path] = sample
        if row.get("mask"):
            masks[sample.image_path] = _resolve(path, line, "mask", row["mask"])
        if row.get("split"):
            splits[sample.image_path] = cast("Split", _one_of(path, line, "split", row["split"], SPLITS))
    return replace(build_dataset(CARD, path, samples.values(), masks=masks), declared_splits=splits)


def _check_columns(path: Path, columns: tuple[str, ...]) -> None:
    for required in ("image", "label"):
        if required not in columns:
            raise layout_error(
                CARD, path, f"has no column {required} (found: {', '.join(columns) or 'none'})"
            )
    unknown = [column for column in columns if column not in (*_COLUMNS, *_MORE_COLUMNS)]
    if unknown:
        raise layout_error(
            CARD, path, f"has the unknown column {unknown[0]!r} (known: {', '.join(_COLUMNS)})"
        )


def _read_row(path: Path, line: int, row: Mapping[str, str]) -> Sample:
    image = _resolve(path, line, "image", row["image"])
    label = _LABELS[_one_of(path, line, "label", row["label"].lower(), tuple(_LABELS))]
    manipulation = row.get("manipulation") or None
    if manipulation is not None:
        _one_of(path, line, "manipulation", manipulation, _MANIPULATIONS)
    if label == 0 and (row.get("mask") or manipulation):
        raise _cell_error(path, line, "label", "an authentic image has neither mask nor manipulation")
    return Sample(
        image,
        label,
        row.get("group") or row["image"],
        manipulation=cast("Manipulation | None", manipulation),
        host=row.get("host") or None,
        donor=row.get("donor") or None,
    )


def _resolve(manifest: Path, line: int, column: str, value: str) -> Path:
    target = manifest.parent / value
    if not value or not target.is_file():
        raise _cell_error(
            manifest, line, column, f"{value or '(empty)'} does not exist below {manifest.parent}"
        )
    return target


def _one_of(path: Path, line: int, column: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise _cell_error(path, line, column, f"{value!r} is not one of {', '.join(allowed)}")
    return value


def _cell_error(path: Path, line: int, column: str, problem: str) -> DatasetError:
    return DatasetError(f"{path}, line {line}, column {column}: {problem}. See {DOCS}")


FOLDER = DatasetAdapter(CARD, _read)
