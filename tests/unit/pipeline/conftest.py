"""A small labelled set made by code: spliced images beside their own hosts, with masks and a manifest."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

N_SOURCES = 6


@pytest.fixture(scope="session")
def labelled_set(
    tmp_path_factory: pytest.TempPathFactory, photo_like: Callable[..., NDArray[np.uint8]]
) -> Path:
    """Root with manifest.csv: for each of six sources an authentic image and a splice of it."""
    root = tmp_path_factory.mktemp("set")
    rows = []
    for number in range(N_SOURCES):
        host = np.asarray(_saved(photo_like(96, 128, seed=number), root / f"host{number}.jpg", 85))
        spliced = host.copy()
        spliced[24:64, 32:88] = np.random.default_rng(number).integers(0, 256, (40, 56, 3))
        _saved(spliced, root / f"splice{number}.jpg", 92)
        mask = np.zeros((96, 128), np.uint8)
        mask[24:64, 32:88] = 255
        Image.fromarray(mask).save(root / f"mask{number}.png")
        split = "test" if number else "train"
        rows.append([f"host{number}.jpg", "authentic", "", f"s{number}", "", split, f"s{number}"])
        rows.append(
            [
                f"splice{number}.jpg",
                "tampered",
                f"mask{number}.png",
                f"s{number}",
                "splicing",
                split,
                f"s{number}",
            ]
        )
    with (root / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "mask", "group", "manipulation", "split", "host"])
        writer.writerows(rows)
    return root


def _saved(pixels: NDArray[np.uint8], path: Path, quality: int) -> Image.Image:
    Image.fromarray(pixels).save(path, quality=quality)
    return Image.open(path).convert("RGB")
