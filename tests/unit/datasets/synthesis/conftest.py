"""A pool of made photographs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from fixtures.textures import make_texture
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool

SIDES = ((300, 400), (400, 300), (256, 384), (340, 440))


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photographs, three of them JPEG files with tables and subsampling of their own."""
    folder = tmp_path_factory.mktemp("photos")
    for number, sides in enumerate(SIDES):
        image = Image.fromarray(make_texture(*sides, seed=number))
        if number == 3:
            image.save(folder / f"{number}.png")
        else:
            image.save(folder / f"{number}.jpg", quality=85 + 4 * number, subsampling=number)
    return folder


@pytest.fixture(scope="session")
def pool(photo_folder: Path) -> PhotoPool:
    return load_pool(sorted(photo_folder.iterdir()))
