"""Tiny image files, made by code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WriteImage = Callable[..., Path]


@pytest.fixture
def write_image() -> WriteImage:
    """Write noise (by seed), or a given array, below a folder that is made when needed."""

    def write(path: Path, pixels: np.ndarray | None = None, *, size=(16, 24), seed=0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            # Smooth noise survives JPEG, so that an image stays close to its resaved self.
            coarse = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BILINEAR)
        else:
            image = Image.fromarray(pixels)
        image.save(path, quality=95) if path.suffix.lower() in {".jpg", ".jpeg"} else image.save(path)
        return path

    return write


@pytest.fixture
def write_mask(write_image: WriteImage) -> WriteImage:
    """Write an 8-bit mask, white in a rectangle."""

    def write(path: Path, *, size=(16, 24), box=(2, 8, 3, 9)) -> Path:
        mask = np.zeros(size, np.uint8)
        top, bottom, left, right = box
        mask[top:bottom, left:right] = 255
        return write_image(path, mask)

    return write


@pytest.fixture
def casia1_root(tmp_path: Path, write_image: WriteImage, write_mask: WriteImage) -> Path:
    """A CASIA v1 of four authentic and three tampered images; the last tampered one has no mask."""
    root = tmp_path / "CASIA1"
    for number, name in enumerate(
        ["Au_ani_0001.jpg", "Au_nat_0002.JPG", "Au_pla_0003.jpg", "Au_sec_0004.jpg"]
    ):
        write_image(root / "Au" / name, seed=number)
    for number, stem in enumerate(
        [
            "Sp_D_NNN_A_ani0001_nat0002_0101",
            "Sp_S_NNN_A_pla0003_pla0003.0102",
            "Sp_D_NRN_A_sce0004_ani0001_0542",
        ]
    ):
        write_image(root / "Sp" / f"{stem}.jpg", seed=10 + number)
        if number < 2:
            write_mask(root / "groundtruth" / f"{stem}_gt.png")
    return root
