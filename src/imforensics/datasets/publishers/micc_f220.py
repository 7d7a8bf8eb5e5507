"""MICC-F220: copy-move without masks."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard, layout_error
from imforensics.datasets.layout import build_dataset
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="micc_f220",
    title="MICC-F220",
    licence="not stated with the set; treat as research use, without redistribution",
    citation=(
        "Amerini, I., Ballan, L., Caldelli, R., Del Bimbo, A., Serra, G.: A SIFT-Based Forensic Method for "
        "Copy-Move Attack Detection and Transformation Recovery. IEEE Transactions on Information "
        "Forensics and Security 6(3), 2011"
    ),
    doi="10.1109/TIFS.2011.2129512",
    folder="MICC-F220",
    authentic_count=110,
    tampered_count=110,
    layout=(
        "groundtruthDB_220.txt       (lines `CRW_4853tamp132.jpg 1`; 1 = tampered)\n"
        "CRW_4853_scale.jpg ...      (authentic)\n"
        "CRW_4853tamp132.jpg ...     (tampered)"
    ),
    defects=(
        "There are no masks: no localization result can be had.",
        "The 110 tampered images come from 11 scenes: intervals must be taken by group.",
    ),
)
_LIST_NAME = "groundtruthDB_220.txt"
_NAME = re.compile(r"(.+?)_?(?:tamp\d+|scale)", re.IGNORECASE)


def _read(root: Path) -> Dataset:
    listing = next(iter(sorted(root.rglob(_LIST_NAME))), None)
    if listing is None:
        raise layout_error(CARD, root, f"has no {_LIST_NAME}")
    labels = _read_labels(listing)
    samples = []
    for name, label in labels.items():
        path = listing.parent / name
        if not path.is_file():
            raise layout_error(CARD, listing, f"names {name}, which does not exist beside it")
        match = _NAME.fullmatch(path.stem)
        scene = match[1] if match else path.stem
        if label == "1":
            samples.append(Sample(path, 1, scene, manipulation="copy_move", host=scene, donor=scene))
        else:
            samples.append(Sample(path, 0, scene, host=scene))
    unrecognised = [path for path in list_images(listing.parent) if path.name not in labels]
    return build_dataset(CARD, root, samples, masks={}, unrecognised=unrecognised)


def _read_labels(listing: Path) -> dict[str, str]:
    labels = {}
    for number, line in enumerate(listing.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or words[1] not in {"0", "1"}:
            raise layout_error(
                CARD, listing, f"line {number}: expected `name 0` or `name 1`, received {line!r}"
            )
        labels[words[0]] = words[1]
    return labels


MICC_F220 = DatasetAdapter(CARD, _read)
