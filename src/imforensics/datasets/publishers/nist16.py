"""NIST Nimble Challenge 2016 (NIST16), read from its own reference tables."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from imforensics.datasets.base import Dataset, DatasetAdapter, DatasetCard, layout_error
from imforensics.datasets.layout import build_dataset
from imforensics.types import Manipulation, Sample

CARD = DatasetCard(
    name="nist16",
    title="NIST16 (Nimble Challenge 2016)",
    licence="agreement with NIST required; no redistribution",
    citation=(
        "Guan, H., Kozak, M., Robertson, E., Lee, Y. et al.: MFC Datasets: Large-Scale Benchmark Datasets "
        "for Media Forensic Challenge Evaluation. IEEE Winter Applications of Computer Vision Workshops "
        "(WACVW), 2019"
    ),
    doi="10.1109/WACVW.2019.00018",
    folder="NC2016_Test",
    tampered_count=564,
    layout=(
        "probe/NC2016_7691.jpg ...\n"
        "reference/manipulation/NC2016-manipulation-ref.csv   (columns split by |)\n"
        "reference/manipulation/mask/NC2016_1253.png ...      (black = tampered)\n"
        "reference/splice/ ...  reference/remove/ ..."
    ),
    defects=(
        "Masks are inverted: black is tampered.",
        "Several tampered images share a host, and the usual training and test halves overlap in content.",
    ),
    mask_encoding="black",
)
_REFERENCE = "NC2016-manipulation-ref.csv"
_NEEDED = ("ProbeFileName", "ProbeMaskFileName", "IsTarget", "BaseFileName")
_FLAGS: dict[str, Manipulation] = {
    "IsManipulationTypeRemoval": "removal",
    "IsManipulationTypeSplice": "splicing",
    "IsManipulationTypeCopyClone": "copy_move",
}


def _read(root: Path) -> Dataset:
    table = next(iter(sorted(root.rglob(_REFERENCE))), None)
    if table is None:
        raise layout_error(CARD, root, f"has no reference/manipulation/{_REFERENCE}")
    base = table.parents[2]
    samples, wanted = [], {}
    for row in _read_table(table):
        path = base / row["ProbeFileName"]
        if not path.is_file():
            raise layout_error(
                CARD, table, f"names {row['ProbeFileName']}, which does not exist below {base}"
            )
        source = Path(row["BaseFileName"]).stem or None
        if row["IsTarget"] == "Y":
            samples.append(Sample(path, 1, source or path.stem, manipulation=_manipulation(row), host=source))
            mask = base / row["ProbeMaskFileName"]
            wanted[path] = mask if row["ProbeMaskFileName"] and mask.is_file() else None
        else:
            samples.append(Sample(path, 0, source or path.stem, host=source or path.stem))
    return build_dataset(CARD, root, samples, masks=wanted)


def _read_table(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="|")
        lacking = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
        if lacking:
            raise layout_error(CARD, table, f"lacks the column {lacking[0]}")
        return [{key: value or "" for key, value in row.items()} for row in reader]


def _manipulation(row: Mapping[str, str]) -> Manipulation | None:
    """The one manipulation that the row flags; None for none or several."""
    flagged = [kind for column, kind in _FLAGS.items() if row.get(column) == "Y"]
    return flagged[0] if len(flagged) == 1 else None


NIST16 = DatasetAdapter(CARD, _read)
