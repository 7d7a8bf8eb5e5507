"""CASIA v1.0 and v2.0: names parsed into manipulation, host, donor and source group."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard
from imforensics.datasets.grouping import connect
from imforensics.datasets.layout import build_dataset, check_mask, find_folder, find_folders, index_by_stem
from imforensics.datasets.lists import plain_key
from imforensics.datasets.rasters import list_images
from imforensics.types import Manipulation, Sample

_AUTHENTIC_NAME = re.compile(r"Au_([a-z]{3})_(\d{3,6})(?:__[0-9a-f]{8})?", re.IGNORECASE)
_TAMPERED_NAME = re.compile(
    r"(?:Sp|Tp)_([DS])_[A-Z]{3}_[A-Z](?:_[A-Z])?_([a-z]{3})(\d{3,6})_([a-z]{3})(\d{3,6})[._]\d{3,6}(?:__[0-9a-f]{8})?",
    re.IGNORECASE,
)
_MANIPULATIONS: dict[str, Manipulation] = {"D": "splicing", "S": "copy_move"}
# Ids in tampered names that no authentic image has. "ant" by comparing pixels with Au_nat_0063 (v1), "sce" as
# the only category with these letters.
_CORRECTED_CATEGORIES = {"ant": "nat", "sce": "sec"}
_TAMPERED_FOLDERS = ("sp", "tp", "modifiedtp")
_DERIVED_FOLDERS = ("groundtruthderived",)
_CITATION = (
    "Dong, J., Wang, W., Tan, T.: CASIA Image Tampering Detection Evaluation Database. ChinaSIP 2013, pp. "
    "422-426. Masks: Pham, N. T., Lee, J.-W., Kwon, G.-R., Park, C.-S.: Hybrid Image-Retrieval Method for "
    "Image-Splicing Validation. Symmetry 11(1), 83, 2019, doi 10.3390/sym11010083"
)
_LICENCE = "research use only; no redistribution (Institute of Automation, Chinese Academy of Sciences)"

CASIA1_CARD = DatasetCard(
    name="casia1",
    title="CASIA v1.0",
    licence=_LICENCE,
    citation=_CITATION,
    doi="10.1109/ChinaSIP.2013.6625374",
    folder="CASIA1",
    authentic_count=800,
    tampered_count=921,
    layout=(
        "Au/Au_ani_0001.jpg ...\n"
        "Sp/Sp_D_CND_A_pla0005_pla0023_0281.jpg ...              (or Tp/, Modified Tp/; subfolders allowed)\n"
        "groundtruth/Sp_D_CND_A_pla0005_pla0023_0281_gt.png ...  (or CASIA 1.0 groundtruth/, Gt/, masks/)"
    ),
    defects=(
        "A header baseline on the quantization table alone separates the classes at 99.5 %: raw results are "
        "no evidence of detection.",
        "Sp_D_NRN_A_sce0011_cha0011_0542 has no mask.",
        "The mask of Sp_S_NNN_T_txt0072_txt0072_0072 is suspect.",
        "The mask of Sp_D_NNN_A_nat0019_cha0039_0320 marks what is unchanged from nat0019, the named host.",
        "In 72 spliced images the second id in the name, not the first, is the host.",
        "12 names say splicing with host and donor the same; 21 say copy-move with two different ids.",
        "109 or more authentic images are byte-identical in CASIA v2.0.",
        "Masks are community-made, not the publisher's.",
    ),
)
CASIA2_CARD = DatasetCard(
    name="casia2",
    title="CASIA v2.0",
    licence=_LICENCE,
    citation=_CITATION,
    doi="10.1109/ChinaSIP.2013.6625374",
    folder="CASIA2",
    authentic_count=7491,
    tampered_count=5123,
    layout=(
        "Au/Au_ani_00001.jpg ...\n"
        "Tp/Tp_D_CND_M_N_ani00018_sec00096_00138.tif ...\n"
        "CASIA 2 Groundtruth/Tp_D_CND_M_N_ani00018_sec00096_00138_gt.png ... (or groundtruth/, Gt/)\n"
        "groundtruth_derived/..._gt.png  (pseudo masks, only when asked for)"
    ),
    defects=(
        "A header baseline on the quantization table alone separates the classes at 97 %: raw results are no "
        "evidence of detection.",
        "17 community masks of the complete set have another size than their image.",
        "Authentic images with ids up to 00100 are those of CASIA v1.0, most of them byte by byte.",
        "Masks are community-made; those in groundtruth_derived come from differencing with the host.",
        "Tampered images are JPEG or TIFF, authentic ones nearly all JPEG: the format leaks the class.",
    ),
)


@dataclass(frozen=True, slots=True)
class CasiaName:
    """What a CASIA file name says.

    Attributes:
        manipulation: None for an authentic image.
        host: id of the host as named first; an authentic image's own id.
        donor: id of the donor as named second, None for an authentic image.
    """

    manipulation: Manipulation | None
    host: str
    donor: str | None


def parse_casia_name(file_name: str) -> CasiaName | None:
    """What the name of a CASIA v1 or v2 image says; None where it follows neither rule.

    Ids are written the same for both versions (category and five digits), so that v1's nat0059 and v2's
    nat00059, which are one photograph, are one id.

    >>> parse_casia_name("Sp_D_NNN_A_art0072_cha0060_0107.jpg")
    CasiaName(manipulation='splicing', host='art00072', donor='cha00060')
    >>> parse_casia_name("Au_nat_0059.jpg").host
    'nat00059'
    """
    stem = file_name.rpartition(".")[0]
    if authentic := _AUTHENTIC_NAME.fullmatch(stem):
        return CasiaName(None, _image_id(authentic[1], authentic[2]), None)
    if tampered := _TAMPERED_NAME.fullmatch(stem):
        kind, *ids = tampered.groups()
        return CasiaName(_MANIPULATIONS[kind.upper()], _image_id(*ids[:2]), _image_id(*ids[2:]))
    return None


def _image_id(category: str, number: str) -> str:
    lower = category.lower()
    return f"{_CORRECTED_CATEGORIES.get(lower, lower)}{int(number):05d}"


def _mask_folder_names(version: int) -> tuple[str, ...]:
    return ("groundtruth", f"casia{version}groundtruth", f"casia{version}0groundtruth", "gt", "mask", "masks")


def _read_casia(root: Path, *, card: DatasetCard, version: int) -> Dataset:
    mask_names = _mask_folder_names(version)
    skip = (*mask_names, *_DERIVED_FOLDERS)
    authentic = find_folder(root, ("au",), card=card, skip=skip)
    tampered = find_folder(root, _TAMPERED_FOLDERS, card=card, skip=skip)
    paths = list_images(authentic, recursive=True) + list_images(tampered, recursive=True)
    names = {path: name for path in paths if (name := parse_casia_name(path.name)) is not None}
    masks = index_by_stem(find_folders(root, mask_names, skip=_DERIVED_FOLDERS), recursive=True)
    groups = connect([(n.host, n.donor) if n.donor else (n.host,) for n in names.values()])
    return build_dataset(
        card,
        root,
        [_build_sample(path, name, groups) for path, name in names.items()],
        masks={path: _mask_of(path, masks) for path, name in names.items() if name.manipulation},
        unrecognised=[path for path in paths if path not in names],
    )


def _build_sample(path: Path, name: CasiaName, groups: Mapping[str, str]) -> Sample:
    return Sample(
        path,
        0 if name.manipulation is None else 1,
        groups[name.host],
        manipulation=name.manipulation,
        host=name.host,
        donor=name.donor,
    )


def _mask_of(path: Path, masks: Mapping[str, Path]) -> Path | None:
    """The mask `<stem>_gt`, with or without the suffix that some downloads append to the image's name."""
    plain = plain_key(path.stem.lower())
    return masks.get(f"{path.stem.lower()}_gt") or masks.get(f"{plain}_gt")


def _add_derived_masks(dataset: Dataset) -> Dataset:
    masks = index_by_stem(find_folders(dataset.root, _DERIVED_FOLDERS), recursive=True)
    wanting = {defect.image_path for defect in dataset.mask_defects}
    samples = []
    added: set[Path] = set()
    for sample in dataset.samples:
        derived = _mask_of(sample.image_path, masks) if sample.image_path in wanting else None
        if derived is None or check_mask(sample.image_path, derived) is not None:
            samples.append(sample)
            continue
        samples.append(replace(sample, mask_path=derived))
        wanting.discard(sample.image_path)
        added.add(derived)
    defects = tuple(d for d in dataset.mask_defects if d.image_path in wanting)
    return replace(dataset, samples=tuple(samples), mask_defects=defects, pseudo_masks=frozenset(added))


CASIA1 = DatasetAdapter(CASIA1_CARD, partial(_read_casia, card=CASIA1_CARD, version=1))
CASIA2 = DatasetAdapter(CASIA2_CARD, partial(_read_casia, card=CASIA2_CARD, version=2), _add_derived_masks)
