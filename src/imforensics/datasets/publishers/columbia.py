"""Columbia Uncompressed Image Splicing Detection Evaluation Dataset."""

from __future__ import annotations

import re
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset, find_folder, find_folders, index_by_stem
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="columbia",
    title="Columbia Uncompressed Image Splicing Detection Evaluation Dataset",
    licence="research purpose only; no redistribution; credit to the DVMM Laboratory of Columbia University",
    citation=(
        "Hsu, Y.-F., Chang, S.-F.: Detecting Image Splicing Using Geometry Invariants and Camera "
        "Characteristics Consistency. IEEE International Conference on Multimedia and Expo (ICME), 2006"
    ),
    doi="10.1109/ICME.2006.262447",
    folder="Columbia",
    authentic_count=183,
    tampered_count=180,
    layout=(
        "4cam_auth/canong3_02_sub_01.tif ...\n"
        "4cam_splc/canong3_canonxt_sub_01.tif ...\n"
        "4cam_splc/edgemask/canong3_canonxt_sub_01_edgemask.jpg ..."
    ),
    defects=(
        "Splices are straight pastes without any finishing; the set says nothing about careful edits.",
        "Names give the cameras, not the sources of a splice: use the set for tests only.",
        "Masks are JPEG: colours are not exact.",
    ),
    mask_encoding="green",
)
_TAMPERED_NAME = re.compile(r"([a-z0-9]+)_([a-z0-9]+)_sub_\d+", re.IGNORECASE)


def _read(root: Path) -> Dataset:
    authentic = find_folder(root, ("4camauth",), card=CARD)
    tampered = find_folder(root, ("4camsplc",), card=CARD)
    masks = index_by_stem(find_folders(tampered, ("edgemask",)))
    samples = [Sample(path, 0, path.stem.partition("_")[0].lower()) for path in _list_nested(authentic)]
    unrecognised = []
    for path in _list_nested(tampered):
        if name := _TAMPERED_NAME.fullmatch(path.stem):
            cameras = f"{name[1]}+{name[2]}".lower()
            samples.append(Sample(path, 1, cameras, manipulation="splicing"))
        else:
            unrecognised.append(path)
    wanted = {s.image_path: masks.get(f"{s.image_path.stem.lower()}_edgemask") for s in samples if s.label}
    return build_dataset(CARD, root, samples, masks=wanted, unrecognised=unrecognised)


def _list_nested(folder: Path) -> list[Path]:
    """Images of the folder, or of the folder of the same name that some unpackers add inside it."""
    inner = folder / folder.name
    return list_images(inner if inner.is_dir() else folder)


COLUMBIA = DatasetAdapter(CARD, _read)
