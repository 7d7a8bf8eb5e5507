"""Realistic tampering dataset of Korus and Huang: four cameras, uncompressed."""

from __future__ import annotations

from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard, layout_error
from imforensics.datasets.layout import build_dataset, find_folders, index_by_stem
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="korus",
    title="Realistic tampering dataset (Korus)",
    licence="educational and research use",
    citation=(
        "Korus, P., Huang, J.: Multi-Scale Analysis Strategies in PRNU-Based Tampering Localization. IEEE "
        "Transactions on Information Forensics and Security 12(4), 2017"
    ),
    doi="10.1109/TIFS.2016.2636089",
    folder="realistic-tampering-dataset",
    authentic_count=220,
    tampered_count=220,
    layout=(
        "Canon_60D/pristine/DPP0012.TIF ...\n"
        "Canon_60D/tampered-realistic/DPP0012.TIF ...\n"
        "Canon_60D/ground-truth/DPP0012.PNG ...    (grey or white = tampered)\n"
        "Nikon_D90/ ...  Nikon_D7000/ ...  Sony_A57/ ..."
    ),
    defects=(
        "Masks have three levels; grey and white both count as tampered here.",
        "Names do not say which manipulation was done.",
    ),
    mask_encoding="grey",
)
_TAMPERED = "tamperedrealistic"


def _read(root: Path) -> Dataset:
    samples, wanted = [], {}
    folders = find_folders(root, (_TAMPERED,), depth=3)
    if not folders:
        raise layout_error(CARD, root, "has no <camera>/tampered-realistic folder")
    for tampered in folders:
        camera = tampered.parent
        masks = index_by_stem(find_folders(camera, ("groundtruth",), depth=1))
        for folder in find_folders(camera, ("pristine",), depth=1):
            for path in list_images(folder):
                scene = f"{camera.name}/{path.stem}"
                samples.append(Sample(path, 0, scene, host=scene))
        for path in list_images(tampered):
            scene = f"{camera.name}/{path.stem.removesuffix('t')}"
            samples.append(Sample(path, 1, scene, host=scene))
            wanted[path] = masks.get(path.stem.lower())
    return build_dataset(CARD, root, samples, masks=wanted)


KORUS = DatasetAdapter(CARD, _read)
