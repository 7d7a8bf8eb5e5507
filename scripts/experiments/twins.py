"""How alike the twins of CASIA v1 are where nothing was altered: the encoder leaves a trace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

from experiment import Experiment, Found
from imforensics.datasets.twins import Twin, load_twins
from imforensics.models.classifier.examples import read_example, select_exact, twin_examples
from imforensics.report.markdown import Table

MARGIN = 16  # pixels: two JPEG blocks, one with subsampled chroma


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each kind of tables that the tampered file has."""
    dataset, samples = experiment.load("casia1", "all")
    twins = experiment.thin(load_twins(dataset, samples))
    records = experiment.collect(compare_twin, {twin.tampered.image_path.name: twin for twin in twins})
    rows = []
    for exact, name in ((True, "IJG"), (False, "other")):
        own = [record for record in records if record["is_exact"] == exact]
        shares = np.array([record["equal"] for record in own] or [np.nan])
        difference = np.mean([record["difference"] for record in own] or [np.nan])
        middle, low = f"{np.median(shares):.1%}", f"{np.quantile(shares, 0.05):.1%}"
        rows.append([name, str(len(own)), middle, low, f"{difference:.2f}"])
    heads = (
        "tampered file's tables",
        "twins",
        "equal pixels, median",
        "5 % quantile",
        "mean difference (levels)",
    )
    yield Table("", heads, rows)


def compare_twin(twin: Twin) -> list[Found]:
    """Whether it is exact; share of equal pixels and mean difference outside the mask; none without one."""
    if twin.tampered.mask_path is None:
        return []
    host, tampered = twin_examples([twin])
    with Image.open(twin.tampered.mask_path) as mask:
        grown = mask.convert("L").filter(ImageFilter.MaxFilter(2 * MARGIN + 1))
    outside = np.asarray(grown) < 128
    if not outside.any():
        return []
    difference = np.abs(read_example(host).astype(np.int16) - read_example(tampered)).max(axis=2)[outside]
    is_exact = bool(select_exact([host, tampered]))
    equal, average = float((difference == 0).mean()), float(difference.mean())
    return [{"is_exact": is_exact, "equal": equal, "difference": average}]
