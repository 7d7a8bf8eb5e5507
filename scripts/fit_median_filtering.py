"""Fit the weights of the median filtering method on synthetic forgeries, and print them.

    IMFORENSICS_DATA=data python scripts/fit_median_filtering.py [--images 50]

Each authentic photograph (split `train` of the set `photos`) is taken untouched, median filtered (3x3, 5x5),
and processed otherwise (Gaussian blur, resizing), then stored losslessly or as JPEG. A logistic
regression learns to tell the median filtered windows of 64 pixels from all others; it is checked on the split
`val`.
Needs the extra `train` (scikit-learn).
"""

from __future__ import annotations

import argparse
import io

import numpy as np
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from imforensics.datasets.base import load_dataset, load_split
from imforensics.methods.noise.median_filtering import CELL, MIN_SUPPORT, WINDOW, take_plane
from imforensics.methods.noise.median_traces import FEATURES, describe_traces, sum_median_traces
from imforensics.preprocessing.windows import gather_windows

MEDIAN = {"median 3": ImageFilter.MedianFilter(3), "median 5": ImageFilter.MedianFilter(5)}
BLUR = {"blur 0.5": ImageFilter.GaussianBlur(0.5), "blur 0.8": ImageFilter.GaussianBlur(0.8)}
QUALITIES = {"lossless": (None,), "jpeg": (98, 95, 92, 90)}
STEP = WINDOW // CELL  # windows side by side
SEED = 0


def make_versions(image: Image.Image) -> dict[str, Image.Image]:
    """The picture, median filtered and processed otherwise."""
    versions = {"untouched": image}
    versions |= {name: image.filter(operation) for name, operation in (MEDIAN | BLUR).items()}
    for scale in (0.7, 1.4):
        size = tuple(round(side * scale) for side in image.size)
        versions[f"scale {scale}"] = image.resize(size, Image.Resampling.BICUBIC)
    return versions


def describe(image: Image.Image, quality: int | None) -> np.ndarray:
    """Features of each textured window, (n, 9)."""
    if quality is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        image = Image.open(buffer)
    pixels = np.asarray(image.convert("RGB"))
    sums = gather_windows(
        sum_median_traces(take_plane(pixels, is_jpeg=quality is not None), cell=CELL), cells=STEP
    )[STEP // 2 :: STEP, STEP // 2 :: STEP]
    return describe_traces(sums[sums[..., 0] >= MIN_SUPPORT * WINDOW**2])


def collect(split: str, kind: str, images: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and names of the processing, of the windows of a split."""
    dataset = load_dataset("photos")
    members = sorted(load_split(dataset, split), key=lambda sample: sample.image_path.name)
    generator = np.random.default_rng(SEED)
    chosen = generator.permutation(len(members))[:images]
    features, names = [], []
    for index in chosen:
        with Image.open(members[index].image_path) as image:
            versions = make_versions(image.convert("RGB"))
        quality = QUALITIES[kind][index % len(QUALITIES[kind])]
        for name, version in versions.items():
            found = describe(version, quality)
            features.append(found)
            names += [name] * len(found)
    return np.concatenate(features), np.array(names)


def main() -> None:
    """Fit and check both sets of weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50, help="photographs of each split")
    images = parser.parse_args().images
    for kind in QUALITIES:
        features, names = collect("train", kind, images)
        scale = features.std(axis=0)
        model = LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced")
        model.fit(features / scale, np.isin(names, list(MEDIAN)))
        weights = model.coef_[0] / scale
        print(f"{kind}: bias {float(model.intercept_[0]):.3f}")
        for name, weight in zip(FEATURES, weights, strict=True):
            print(f"  {name}: {weight:.3f}")
        features, names = collect("val", kind, images)
        logits = features @ weights + model.intercept_[0]
        filtered = np.isin(names, list(MEDIAN))
        print(f"  val, {len(names)} windows: AUC {roc_auc_score(filtered, logits):.4f}")
        for name in dict.fromkeys(names.tolist()):
            chosen = logits[names == name]
            q = np.quantile(chosen, (0.01, 0.05, 0.5, 0.95, 0.99))
            print(f"    {name}: logit quantiles 1, 5, 50, 95, 99 %: {np.round(q, 2)}")


if __name__ == "__main__":
    main()
