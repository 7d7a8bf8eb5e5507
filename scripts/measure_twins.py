"""How alike the twins of CASIA v1 are where nothing was altered: the encoder leaves a trace of its own.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_twins.py

Each host is saved with its tampered file's quantization tables and subsampling, as `pairs: twin` does.
Counted are pixels that are equal in all channels, outside the mask and 16 pixels around it, by whether the
tampered file has the tables of the IJG's encoder, which is ours too.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.base import load_dataset
from imforensics.datasets.twins import Twin, load_twins
from imforensics.models.classifier.examples import read_example, select_exact, twin_examples

MARGIN = 16  # pixels: two JPEG blocks, one with subsampled chroma


def compare_twin(twin: Twin) -> tuple[bool, float, float] | None:
    """Whether it is exact; share of equal pixels and mean difference outside the mask; None without one."""
    if twin.tampered.mask_path is None:
        return None
    host, tampered = twin_examples([twin])
    with Image.open(twin.tampered.mask_path) as mask:
        grown = mask.convert("L").filter(ImageFilter.MaxFilter(2 * MARGIN + 1))
    outside = np.asarray(grown) < 128
    if not outside.any():
        return None
    difference = np.abs(read_example(host).astype(np.int16) - read_example(tampered)).max(axis=2)[outside]
    return bool(select_exact([host, tampered])), float((difference == 0).mean()), float(difference.mean())


def main() -> None:
    """Compare all twins and print a table."""
    dataset = load_dataset("casia1")
    with ProcessPoolExecutor() as pool:
        found = [r for r in pool.map(compare_twin, load_twins(dataset, dataset.samples), chunksize=16) if r]
    print(
        "| tampered file's tables | twins | equal pixels, median | 5 % quantile | mean difference (levels) |"
    )
    print("|---|---|---|---|---|")
    for exact, name in ((True, "IJG"), (False, "other")):
        shares = np.array([share for flag, share, _ in found if flag == exact])
        means = [mean for flag, _, mean in found if flag == exact]
        print(
            f"| {name} | {len(shares)} | {np.median(shares):.1%} | {np.quantile(shares, 0.05):.1%} | "
            f"{np.mean(means):.2f} |"
        )


if __name__ == "__main__":
    main()
