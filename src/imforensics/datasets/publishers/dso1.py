"""DSO-1: spliced people, the masks inverted."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset, find_folder, find_folders, index_by_stem
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="dso1",
    title="DSO-1 (tifs-database)",
    licence="not stated with the set; treat as research use, without redistribution",
    citation=(
        "de Carvalho, T. J., Riess, C., Angelopoulou, E., Pedrini, H., Rocha, A.: Exposing Digital Image "
        "Forgeries by Illumination Color Classification. IEEE Transactions on Information Forensics and "
        "Security 8(7), 2013"
    ),
    doi="10.1109/TIFS.2013.2265677",
    folder="tifs-database",
    authentic_count=100,
    tampered_count=100,
    layout=(
        "DSO-1/normal-01.png ...                        (authentic)\n"
        "DSO-1/splicing-01.png ...                      (tampered)\n"
        "DSO-1-Fake-Images-Masks/splicing-01.png ...    (black = tampered)"
    ),
    defects=(
        "Masks are inverted: black is tampered.",
        "Names do not link a splice to its sources: use the set for tests only.",
    ),
    mask_encoding="black",
)
_NAME = re.compile(r"(normal|splicing)-\d+", re.IGNORECASE)


def _read(root: Path) -> Dataset:
    images = find_folder(root, ("dso1",), card=CARD)
    masks = index_by_stem(find_folders(root, ("dso1fakeimagesmasks",)))
    samples, wanted, unrecognised = [], {}, []
    for path in list_images(images):
        name = _NAME.fullmatch(path.stem)
        if name is None:
            unrecognised.append(path)
        elif name[1].lower() == "splicing":
            samples.append(Sample(path, 1, path.stem, manipulation="splicing"))
            wanted[path] = masks.get(path.stem.lower())
        else:
            samples.append(Sample(path, 0, path.stem))
    return build_dataset(CARD, root, samples, masks=wanted, unrecognised=unrecognised)


DSO1 = DatasetAdapter(CARD, _read)
