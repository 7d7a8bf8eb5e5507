"""COVERAGE: copy-move with similar but genuine objects."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset, find_folder, find_folders, index_by_stem
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="coverage",
    title="COVERAGE",
    licence="not stated with the set; treat as research use, without redistribution",
    citation=(
        "Wen, B., Zhu, Y., Subramanian, R., Ng, T.-T., Shen, X., Winkler, S.: COVERAGE - A Novel Database "
        "for Copy-Move Forgery Detection. IEEE International Conference on Image Processing (ICIP), 2016"
    ),
    doi="10.1109/ICIP.2016.7532339",
    folder="COVERAGE",
    authentic_count=100,
    tampered_count=100,
    layout="image/1.tif ...        (authentic)\nimage/1t.tif ...       (tampered)\nmask/1forged.tif ...",
    defects=(
        "Nine masks are known to be wrong or of another size than their image.",
        "Every authentic image holds a similar but genuine object: matching alone gives false alarms.",
    ),
)
_NAME = re.compile(r"(\d+)(t?)", re.IGNORECASE)


def _read(root: Path) -> Dataset:
    images = find_folder(root, ("image",), card=CARD)
    masks = index_by_stem(find_folders(root, ("mask",)))
    samples, wanted, unrecognised = [], {}, []
    for path in list_images(images):
        name = _NAME.fullmatch(path.stem)
        if name is None:
            unrecognised.append(path)
        elif name[2]:
            samples.append(Sample(path, 1, name[1], manipulation="copy_move", host=name[1], donor=name[1]))
            wanted[path] = masks.get(f"{name[1]}forged")
        else:
            samples.append(Sample(path, 0, name[1], host=name[1]))
    return build_dataset(CARD, root, samples, masks=wanted, unrecognised=unrecognised)


COVERAGE = DatasetAdapter(CARD, _read)
