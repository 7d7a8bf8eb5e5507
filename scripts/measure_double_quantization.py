"""Measure double quantization: localization on CASIA v1, images told from their twins, alarms on photographs.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_double_quantization.py --split val
    IMFORENSICS_DATA=/path/to/data python scripts/measure_double_quantization.py --split test

One process, nothing random but `--limit`, which takes that many images a protocol with seed 0. Rows: tampered
images as they are (raw), re-saved at quality 90, and with their hosts saved alike (twin); the photographs of
the set `photos`, and of `photos_web`. An alarm is a score of at least 0.5.
"""

from __future__ import annotations

import argparse

import numpy as np

from imforensics.datasets.base import load_dataset, load_split
from imforensics.methods.jpeg.double_quantization import THRESHOLD, DoubleQuantization
from imforensics.metrics.detection import NAN, detection_metrics
from imforensics.metrics.localization import LocalizationAccumulator
from imforensics.pipeline.evaluate.protocols import Trial, plan_trials
from imforensics.pipeline.evaluate.worker import read_trial_mask, show_trial
from imforensics.types import Finding, Sample

MAX_PIXELS = 200_000_000
SHOWN = ("auc_mean", "f1_best_mean", "f1_fixed_mean", "f1_half_mean", "f1_all_mean", "valid_area_mean")


def look_at(
    trials: tuple[Trial, ...], *, encoding: str
) -> tuple[LocalizationAccumulator, list[float], list[int]]:
    """Maps of tampered images against their masks; score and label of every image."""
    method, maps = DoubleQuantization(), LocalizationAccumulator(THRESHOLD)
    scores: list[float] = []
    labels: list[int] = []
    for trial in trials:
        evidence = show_trial(trial, max_pixels=MAX_PIXELS)
        if evidence.jpeg is None:
            continue
        finding: Finding = method.analyze(evidence)
        if finding.map is None or finding.score is None:
            print(f"{trial.id}: {finding.status}: {finding.notes[0]}")
            continue
        scores.append(finding.score)
        labels.append(trial.sample.label)
        mask = read_trial_mask(trial, evidence, encoding=encoding)  # type: ignore[arg-type]
        if trial.sample.label and mask is not None:
            maps.add_tampered(finding.map.values, mask, valid=finding.map.valid)
        elif not trial.sample.label:
            maps.add_authentic(finding.map.values, valid=finding.map.valid)
    return maps, scores, labels


def choose(samples: tuple[Sample, ...], limit: int | None) -> tuple[Sample, ...]:
    """All samples, or so many of them, drawn with seed 0."""
    if limit is None or limit >= len(samples):
        return samples
    picked = np.sort(np.random.default_rng(0).permutation(len(samples))[:limit])
    return tuple(samples[index] for index in picked)


def report(name: str, trials: tuple[Trial, ...], *, encoding: str) -> None:
    """One row: counts, localization, image AUC, alarms."""
    maps, scores, labels = look_at(trials, encoding=encoding)
    summary, alarms = maps.summary(), np.array(scores) >= 0.5
    is_tampered = np.array(labels) == 1
    both = is_tampered.any() and not is_tampered.all()
    image_auc = detection_metrics(scores, labels, threshold=0.5)["auc"] if both else NAN
    shown = " ".join(f"{key} {summary.get(key, NAN):.3f}" for key in SHOWN)
    rates = " ".join(
        f"{word} {alarms[mask].sum()}/{mask.sum()}"
        for word, mask in (("tampered", is_tampered), ("authentic", ~is_tampered))
    )
    area = summary.get("false_alarm_area_fixed_mean", NAN)
    print(
        f"{name}: {shown} | image_auc {image_auc:.3f} | alarms {rates} | false_alarm_area_fixed {area:.4f}",
        flush=True,
    )


def main() -> None:
    """Measure one split."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    parser.add_argument("--limit", type=int, help="at most so many images a row")
    arguments = parser.parse_args()
    casia = load_dataset("casia1")
    samples = load_split(casia, arguments.split)
    tampered = choose(tuple(s for s in samples if s.label == 1), arguments.limit)
    for protocol in ("raw", "resaved_q90", "twin"):
        trials = plan_trials(casia, tampered, protocol).trials  # type: ignore[arg-type]
        report(f"casia1 {arguments.split} {protocol}", trials, encoding=casia.card.mask_encoding)
    authentic = choose(tuple(s for s in samples if s.label == 0), arguments.limit)
    report(
        f"casia1 {arguments.split} authentic", plan_trials(casia, authentic, "raw").trials, encoding="white"
    )
    for name in ("photos", "photos_web"):
        photos = load_dataset(name)
        chosen = choose(load_split(photos, arguments.split), arguments.limit)
        report(f"{name} {arguments.split}", plan_trials(photos, chosen, "raw").trials, encoding="white")


if __name__ == "__main__":
    main()
