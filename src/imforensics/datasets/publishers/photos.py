"""Authentic photographs, without any tampered image: for calibration and for counting false alarms."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard, layout_error
from imforensics.datasets.rasters import is_image, list_images
from imforensics.types import Sample

_WEB_NAME = re.compile(r"(?:ADE_(?:val|train)|bsds)_\d+", re.IGNORECASE)

PHOTOS_CARD = DatasetCard(
    name="photos",
    title="Camera photographs",
    licence="each collection's own; not for redistribution",
    citation=(
        "Block-aligned lossless JPEG crops, at most 768×768, of camera originals (test images of "
        "metadata-extractor, exif-samples, OpenSfM) and of edited wallpapers (elementary OS, Pop!_OS, Debian)"
    ),
    folder="photos",
    authentic_count=214,
    tampered_count=0,
    layout="manifest.csv   (columns file, collection, camera)\n<file in the manifest>.jpg ...",
    defects=(
        "Wallpapers were edited by their makers (tone, crop, scale): authentic here: not altered locally.",
        "One file of camera 'Gran Turismo 5' is a render.",
        "105 images name no camera; those of one collection form one group.",
    ),
)
PHOTOS_PACKAGES_CARD = DatasetCard(
    name="photos_packages",
    title="Camera photographs from software packages",
    licence="each photograph's own, named in scripts/photographs.csv where known; not for redistribution",
    citation=(
        "Block-aligned lossless JPEG crops, at most 768×768, of test images of photo software (Debian source "
        "packages, PyPI, npm) and of desktop wallpapers (Debian), gathered by scripts/gather_photographs.py"
    ),
    folder="photos_packages",
    authentic_count=113,
    tampered_count=0,
    layout="manifest.csv   (columns file, collection, camera, editor)\n<file in the manifest>.jpg ...",
    defects=(
        "Files whose metadata name an image editor are left out: they are the set photos_edited.",
        "Some were resized or saved again by programs that leave no name.",
        "Wallpapers were edited by their makers (tone, crop, scale): authentic here: not altered locally.",
    ),
)
PHOTOS_EDITED_CARD = replace(
    PHOTOS_PACKAGES_CARD,
    name="photos_edited",
    title="Photographs from software packages that went through an image editor",
    authentic_count=67,
    defects=(
        "The metadata of every file name an image editor, or hold a marker that Photoshop and few others "
        "write. What was done is not known: many were toned or resized as a whole, the portraits are likely "
        "to be retouched.",
    ),
)
ORIGINALS_CARD = DatasetCard(
    name="originals",
    title="Camera and phone originals at native size",
    licence="each repository's own, where it states one; not for redistribution",
    citation=(
        "Whole JPEG files of 1 to 16 megapixels as 108 cameras and phones wrote them, from six public "
        "repositories named in scripts/originals.csv, gathered by scripts/gather_photographs.py"
    ),
    folder="originals",
    authentic_count=172,
    tampered_count=0,
    layout="manifest.csv   (columns file, collection, camera)\n<file in the manifest>.jpg ...",
    defects=(
        "Six files of three phones came through Discord, which removed metadata and kept the coefficients.",
        "Most devices gave one photograph; 18 are of one flight of one drone.",
        "Nothing but metadata, tables and sight tells that no editor was at work.",
    ),
)
PHOTOS_WEB_CARD = DatasetCard(
    name="photos_web",
    title="Photographs as met on the web",
    licence="ADE20K: research and education; BSDS500: research; not for redistribution",
    citation=(
        "Zhou, B. et al.: Scene Parsing through ADE20K Dataset. CVPR 2017, doi 10.1109/CVPR.2017.544; "
        "Arbelaez, P. et al.: Contour Detection and Hierarchical Image Segmentation. IEEE TPAMI 33(5), 2011, "
        "doi 10.1109/TPAMI.2010.161"
    ),
    folder="photos_web",
    authentic_count=470,
    tampered_count=0,
    layout="ADE_val_00000014.jpg ...\nbsds_100075.jpg ...",
    defects=(
        "ADE20K scenes were resampled to 416×416 with the aspect changed, and saved at JPEG quality 90.",
        "BSDS500 images are 481×321 at JPEG quality 95.",
    ),
)


def _read_manifest(root: Path, card: DatasetCard, *, is_edited: bool | None = None) -> Dataset:
    """The photographs of a manifest; with `is_edited` those whose file names an editor, or names none."""
    manifest = root / "manifest.csv"
    if not manifest.is_file():
        raise layout_error(card, root, "has no manifest.csv")
    columns = {"file", "collection", "camera"} | (set() if is_edited is None else {"editor"})
    with manifest.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        lacking = columns - set(reader.fieldnames or ())
        if lacking:
            raise layout_error(card, manifest, f"lacks the column {sorted(lacking)[0]}")
        rows = list(reader)
    samples = []
    for number, row in enumerate(rows, start=2):
        path = root / row["file"]
        if not is_image(path):
            raise layout_error(card, manifest, f"line {number}, column file: {row['file']} does not exist")
        if is_edited is None or is_edited == bool(row["editor"]):
            samples.append(Sample(path, 0, _photo_group(row["camera"], row["collection"])))
    samples.sort(key=lambda s: s.image_path)
    listed = {root / row["file"] for row in rows}
    unrecognised = tuple(path for path in list_images(root) if path not in listed)
    return Dataset(card.name, root, card, tuple(samples), unrecognised=unrecognised)


def _photo_group(camera: str, collection: str) -> str:
    """Camera model, cut at the first NUL (some cameras pad with them); without one the collection."""
    model = camera.partition("\0")[0].strip()
    return f"camera {model}" if model else f"collection {collection}"


def _read_photos_web(root: Path) -> Dataset:
    paths = list_images(root)
    samples = tuple(Sample(path, 0, path.stem) for path in paths if _WEB_NAME.fullmatch(path.stem))
    unrecognised = tuple(path for path in paths if not _WEB_NAME.fullmatch(path.stem))
    return Dataset("photos_web", root, PHOTOS_WEB_CARD, samples, unrecognised=unrecognised)


PHOTOS = DatasetAdapter(PHOTOS_CARD, partial(_read_manifest, card=PHOTOS_CARD))
ORIGINALS = DatasetAdapter(ORIGINALS_CARD, partial(_read_manifest, card=ORIGINALS_CARD))
PHOTOS_PACKAGES = DatasetAdapter(
    PHOTOS_PACKAGES_CARD, partial(_read_manifest, card=PHOTOS_PACKAGES_CARD, is_edited=False)
)
PHOTOS_EDITED = DatasetAdapter(
    PHOTOS_EDITED_CARD, partial(_read_manifest, card=PHOTOS_EDITED_CARD, is_edited=True)
)
PHOTOS_WEB = DatasetAdapter(PHOTOS_WEB_CARD, _read_photos_web)
