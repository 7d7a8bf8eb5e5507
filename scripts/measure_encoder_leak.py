"""Does a method tell twins apart where nothing was altered? Then it reads the encoder, not the alteration.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_encoder_leak.py --pairs 336

A host is saved by our encoder with its tampered file's tables; two thirds of CASIA v1's tampered files were
written by Photoshop, whose rounding marks the whole file. So the maps of host and tampered file are compared
outside the mask and MARGIN pixels around it: AUC 0.5 there means that the encoder does not raise the map.
Prints the table of docs/calibration.md. Nothing of the test split is used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask
from imforensics.metrics.detection import detection_metrics
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.pipeline.evaluate.protocols import Trial, plan_trials
from imforensics.pipeline.evaluate.worker import show_trial

# those with a map and a score that may enter a statement
METHODS = ("ela", "wavelet_noise", "double_quantization", "dct_histograms", "jpeg_ghost", "localizer")
MARGIN = 64  # pixels: beyond the reach of every map's smoothing, and half of the localizer's surroundings
MIN_OUTSIDE = 0.2  # share of the image that has to be left
MAX_PIXELS = 10_000_000
SEED = 20240
Values = NDArray[np.float64]


def compare_pair(pair: tuple[Trial, Trial]) -> tuple[bool, Values] | None:
    """Whether one encoder wrote both, and (2, methods, 2): host and tampered; map outside, whole score."""
    _, tampered = pair
    if tampered.sample.mask_path is None:
        return None
    mask = Image.fromarray(read_mask(tampered.sample.mask_path).astype(np.uint8) * 255)
    for _ in range(MARGIN // 8):
        mask = mask.filter(ImageFilter.MaxFilter(17))
    outside = np.asarray(mask) < 128
    if outside.mean() < MIN_OUTSIDE:
        return None
    found = np.full((2, len(METHODS), 2), np.nan)
    is_exact = False
    for row, trial in enumerate(pair):
        evidence = show_trial(trial, max_pixels=MAX_PIXELS)
        is_exact = evidence.jpeg is not None and evidence.jpeg.is_standard_tables
        if evidence.pixels.shape[:2] != outside.shape:
            return None
        for column, method in enumerate(build_methods({name: {} for name in METHODS})):
            finding = run_method(method, evidence)
            if finding.map is None or finding.score is None:
                continue
            valid = outside if finding.map.valid is None else outside & finding.map.valid
            if valid.any():
                found[row, column] = finding.map.values[valid].max(), finding.score
    return is_exact, found


def draw_pairs(count: int) -> list[tuple[Trial, Trial]]:
    """All validation pairs of CASIA v1, then training pairs in an order drawn by the seed."""
    dataset = load_dataset("casia1")
    pairs: list[tuple[Trial, Trial]] = []
    for split in ("val", "train"):
        trials = plan_trials(dataset, load_split(dataset, split), "twin", seed=SEED).trials
        own = list(zip(trials[::2], trials[1::2], strict=True))
        pairs += [own[k] for k in np.random.default_rng(SEED).permutation(len(own))]
    return pairs[:count]


def table(found: Sequence[tuple[bool, Values]]) -> Iterator[str]:
    """Rows of Markdown: AUC of the largest map value outside, and of the score of the whole image."""
    yield "| encoder of the tampered file | pairs | method | AUC outside the alteration | AUC of the score |"
    yield "|---|---|---|---|---|"
    for is_exact, name in ((True, "the same"), (False, "another")):
        values = np.array([pair for exact, pair in found if exact == is_exact])
        for column, method in enumerate(METHODS):
            cells = [_auc(values[:, :, column, k]) for k in (0, 1)]
            yield f"| {name} | {len(values)} | {method} | {cells[0]:.3f} | {cells[1]:.3f} |"


def _auc(values: Values) -> float:
    known = values[~np.isnan(values).any(axis=1)]
    labels = np.tile([0, 1], len(known))
    return detection_metrics(known.ravel(), labels, threshold=0.5)["auc"]


def main() -> None:
    """Compare pairs and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=336, help="at most so many pairs")
    options = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        found = [pair for pair in pool.map(compare_pair, draw_pairs(options.pairs), chunksize=8) if pair]
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
