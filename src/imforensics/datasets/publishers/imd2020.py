"""IMD2020, real-life manipulated images."""

from __future__ import annotations

from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.layout import build_dataset
from imforensics.datasets.rasters import list_images
from imforensics.types import Sample

CARD = DatasetCard(
    name="imd2020",
    title="IMD2020 (real-life manipulated images)",
    licence="scientific, non-commercial use as its authors' sets are; no redistribution",
    citation=(
        "Novozámský, A., Mahdian, B., Saic, S.: IMD2020: A Large-Scale Annotated Dataset Tailored for "
        "Detecting Manipulated Images. IEEE Winter Applications of Computer Vision Workshops (WACVW), 2020"
    ),
    doi="10.1109/WACVW50321.2020.9096940",
    folder="IMD2020",
    authentic_count=414,
    tampered_count=2010,
    layout=(
        "1a1ogs/1a1ogs_orig.jpg          (authentic)\n"
        "1a1ogs/c8tf5mq_0.png            (tampered)\n"
        "1a1ogs/c8tf5mq_0_mask.png       (white = tampered)"
    ),
    defects=(
        "The mask of z14/00030_fake.jpg has another size than its image.",
        "Images come from the web with unknown histories; the manipulation is not named.",
        "A tampered image often has another size than its original: few twins.",
    ),
)


def _read(root: Path) -> Dataset:
    samples, wanted = [], {}
    for folder in sorted(child for child in root.iterdir() if child.is_dir()):
        paths = list_images(folder)
        masks = {path.stem.removesuffix("_mask"): path for path in paths if path.stem.endswith("_mask")}
        for path in paths:
            if path.stem.endswith("_orig"):
                samples.append(Sample(path, 0, folder.name, host=folder.name))
            elif not path.stem.endswith("_mask"):
                samples.append(Sample(path, 1, folder.name, host=folder.name))
                wanted[path] = masks.get(path.stem)
    return build_dataset(CARD, root, samples, masks=wanted)


IMD2020 = DatasetAdapter(CARD, _read)
