"""Coefficients read by several methods at once: what jpeglib sets for the whole process is put back."""

from __future__ import annotations

import io
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from imforensics.evidence import read_evidence


def test_threads_that_read_at_once_leave_standard_output_alone() -> None:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (256, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    jpegs = [read_evidence(buffer.getvalue(), name="made.jpg").jpeg for _ in range(8)]
    before = sys.stdout
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda jpeg: jpeg.read_coefficients()[0], jpegs * 8))
    assert sys.stdout is before
    assert all(np.array_equal(one, found[0]) for one in found)
