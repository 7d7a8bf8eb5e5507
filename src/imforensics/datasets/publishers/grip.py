"""GRIP copy-move set of the University Federico II of Naples."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset, find_folder, find_folders
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="grip",
    title="GRIP copy-move (CMFDdb_grip)",
    licence="not stated with the set; treat as research use, without redistribution",
    citation=(
        "Cozzolino, D., Poggi, G., Verdoliva, L.: Efficient Dense-Field Copy-Move Forgery Detection. IEEE "
        "Transactions on Information Forensics and Security 10(11), 2015"
    ),
    doi="10.1109/TIFS.2015.2455334",
    folder="CMFDdb_grip",
    authentic_count=80,
    tampered_count=80,
    layout=(
        "forged_images/TP_C01_001_copy.png ...\n"
        "forged_images/TP_C01_001_gt.png ...\n"
        "genuine_images/*.png ...      (or original_images/, pristine/; optional)"
    ),
    defects=(
        "The mask marks the copied region and its source.",
        "Folders of post-processed versions (noise, rotation, scale, JPEG) are not read.",
    ),
)
_NAME = re.compile(r"(TP_C\d+_\d+)_(copy|gt)", re.IGNORECASE)
_AUTHENTIC_FOLDERS = ("genuineimages", "genuine", "originalimages", "original", "pristine")


def _read(root: Path) -> Dataset:
    forged = find_folder(root, ("forgedimages", "forged"), card=CARD)
    named = {path: match for path in list_images(forged) if (match := _NAME.fullmatch(path.stem))}
    masks = {match[1].upper(): path for path, match in named.items() if match[2].lower() == "gt"}
    copies = {path: match[1].upper() for path, match in named.items() if match[2].lower() == "copy"}
    samples = [
        Sample(path, 1, scene, manipulation="copy_move", host=scene, donor=scene)
        for path, scene in copies.items()
    ]
    for folder in find_folders(root, _AUTHENTIC_FOLDERS):
        samples += [
            Sample(path, 0, path.stem.upper(), host=path.stem.upper()) for path in list_images(folder)
        ]
    return build_dataset(
        CARD,
        root,
        samples,
        masks={path: masks.get(scene) for path, scene in copies.items()},
        unrecognised=[path for path in list_images(forged) if path not in named],
    )


GRIP = DatasetAdapter(CARD, _read)
