"""Does a method tell twins apart where nothing was altered? Then it reads the encoder, not the alteration."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFilter

from experiment import Experiment, Found
from imforensics.datasets.rasters import read_mask
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.pipeline.evaluate.protocols import Trial, plan_trials
from imforensics.pipeline.evaluate.worker import show_trial
from imforensics.report.markdown import Table
from tables import auc

# those with a map and a score that may enter a statement
METHODS = ("ela", "wavelet_noise", "double_quantization", "dct_histograms", "jpeg_ghost", "localizer")
MARGIN = 64  # pixels: beyond the reach of every map's smoothing, and half of the localizer's surroundings
MIN_OUTSIDE = 0.2  # share of the image that has to be left
MAX_PIXELS = 10_000_000


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each method, by whether one encoder wrote both halves."""
    pairs = list_pairs(experiment)
    records = experiment.collect(compare_pair, {pair[1].id: pair for pair in pairs})
    rows = []
    for is_exact, name in ((True, "the same"), (False, "another")):
        own = [record for record in records if record["is_exact"] == is_exact]
        for method in METHODS:
            cells = [
                pair_auc([record[method][what] for record in own if method in record], experiment.config.seed)
                for what in ("outside", "score")
            ]
            rows.append([name, str(len(own)), method, *cells])
    heads = (
        "encoder of the tampered file",
        "pairs",
        "method",
        "AUC outside the alteration",
        "AUC of the score",
    )
    yield Table("", heads, rows, words=3)


def list_pairs(experiment: Experiment) -> list[tuple[Trial, Trial]]:
    """All validation pairs of CASIA v1, then training pairs in an order drawn by the seed."""
    seed, pairs = experiment.config.seed, []
    for split in ("val", "train"):
        dataset, samples = experiment.load("casia1", split)
        trials = plan_trials(dataset, samples, "twin", seed=seed).trials
        own = list(zip(trials[::2], trials[1::2], strict=True))
        pairs += [own[k] for k in np.random.default_rng(seed).permutation(len(own))]
    return pairs[: experiment.config.options["pairs"]]


def compare_pair(pair: tuple[Trial, Trial]) -> list[Found]:
    """Of host and tampered file: the largest value of each map outside the alteration, and the score."""
    tampered = pair[1].sample
    if tampered.mask_path is None:
        return []
    mask = Image.fromarray(read_mask(tampered.mask_path).astype(np.uint8) * 255)
    for _ in range(MARGIN // 8):
        mask = mask.filter(ImageFilter.MaxFilter(17))
    outside = np.asarray(mask) < 128
    evidences = [show_trial(trial, max_pixels=MAX_PIXELS) for trial in pair]
    if outside.mean() < MIN_OUTSIDE or any(e.pixels.shape[:2] != outside.shape for e in evidences):
        return []
    jpeg = evidences[1].jpeg
    found: Found = {"is_exact": jpeg is not None and jpeg.is_standard_tables}
    for method in build_methods({name: {} for name in METHODS}):
        findings = [run_method(method, evidence) for evidence in evidences]
        maps = [finding.map for finding in findings]
        valids = [None if m is None else outside if m.valid is None else outside & m.valid for m in maps]
        scores = [finding.score for finding in findings]
        if None not in scores and all(valid is not None and valid.any() for valid in valids):
            peaks = [float(m.values[v].max()) for m, v in zip(maps, valids, strict=True) if m is not None]
            found[method.name] = {"outside": peaks, "score": scores}
    return [found]


def pair_auc(pairs: list[list[float]], seed: int) -> str:
    """AUC of the tampered half against the host."""
    scores = [value for pair in pairs for value in pair]
    return auc(scores, [0, 1] * len(pairs), [str(i // 2) for i in range(len(scores))], seed=seed)
