"""Fixtures that every test may use: images and files made by code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))  # makes `fixtures.synthetic` importable under importlib mode

from fixtures import synthetic

# A slow machine is no failure, and a check of a change looks at the same examples every time. To look for new
# ones: pytest --hypothesis-profile=explore
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("default")


@pytest.fixture(scope="session")
def photo_like() -> Callable[..., NDArray[np.uint8]]:
    """`photo_like(height, width, seed=0)` gives (height, width, 3) uint8 RGB with edges and noise."""
    return synthetic.make_photo_like


@pytest.fixture(scope="session")
def jpeg_bytes() -> Callable[..., bytes]:
    """`jpeg_bytes(height, width, seed=0, quality=90, **Pillow's options)` gives the bytes of a JPEG."""
    return synthetic.make_jpeg
