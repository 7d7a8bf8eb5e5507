"""CoMoFoD: copy-move with post-processed versions of each image."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="comofod",
    title="CoMoFoD (small image category)",
    licence="not stated with the set; treat as research use, without redistribution",
    citation=(
        "Tralic, D., Zupancic, I., Grgic, S., Grgic, M.: CoMoFoD - New Database for Copy-Move Forgery "
        "Detection. 55th International Symposium ELMAR, 2013, pp. 49-54"
    ),
    folder="CoMoFoD_small_v2",
    authentic_count=5200,
    tampered_count=5200,
    layout=(
        "001_O.png     (authentic)            001_O_JC1.jpg ... (post-processed)\n"
        "001_F.png     (tampered)             001_F_JC1.jpg ... (post-processed)\n"
        "001_B.png     (binary mask)          001_M.png         (coloured mask, not used)"
    ),
    defects=(
        "The binary mask marks the copied region and its source: finding only the copy loses recall.",
        "200 scenes in 26 versions each: intervals must be taken by group.",
    ),
)
_IMAGE_NAME = re.compile(r"(\d{3})_([FO])(?:_[A-Z]{2}\d)?", re.IGNORECASE)
_MASK_NAME = re.compile(r"(\d{3})_([BM])", re.IGNORECASE)


def _read(root: Path) -> Dataset:
    paths = list_images(root, recursive=True)
    marks = {path: name for path in paths if (name := _MASK_NAME.fullmatch(path.stem))}
    binary = {name[1]: path for path, name in marks.items() if name[2].upper() == "B"}
    samples, wanted, unrecognised = [], {}, []
    for path in paths:
        name = _IMAGE_NAME.fullmatch(path.stem)
        if name is None:
            if path not in marks:
                unrecognised.append(path)
        elif name[2].upper() == "F":
            samples.append(
                Sample(
                    path,
                    1,
                    name[1],
                    manipulation="copy_move",
                    host=_version_id(path),
                    donor=_version_id(path),
                )
            )
            wanted[path] = binary.get(name[1])
        else:
            samples.append(Sample(path, 0, name[1], host=_version_id(path)))
    return build_dataset(CARD, root, samples, masks=wanted, unrecognised=unrecognised)


def _version_id(path: Path) -> str:
    """Scene and post-processing, equal for an image and the original it was made from: "001" or "001_JC1"."""
    scene, _, *version = path.stem.upper().split("_")
    return "_".join([scene, *version])


COMOFOD = DatasetAdapter(CARD, _read)
