"""Coefficients that several methods read at once: decoded once, unharmed, jpeglib's settings put back."""

from __future__ import annotations

import gc
import io
import pickle
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from imforensics.errors import EvidenceError
from imforensics.evidence import read_evidence
from imforensics.evidence.coefficients import KeptCoefficients

calls: list[bytes] = []


def decode_slowly(data: bytes) -> tuple[np.ndarray, ...]:
    """Stands for the decoder, and counts."""
    calls.append(data)
    time.sleep(0.02)
    if data == b"damaged":
        raise EvidenceError("made to fail")
    return (np.full((2, 3, 8, 8), len(data), np.int16), np.zeros((1, 2, 8, 8), np.int16))


def make_jpeg() -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (256, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def test_threads_that_read_at_once_leave_standard_output_alone() -> None:
    content = make_jpeg()
    jpegs = [read_evidence(content, name="made.jpg").jpeg for _ in range(8)]
    before = sys.stdout
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda jpeg: jpeg.read_coefficients()[0], jpegs * 8))
    assert sys.stdout is before
    assert all(np.array_equal(one, found[0]) for one in found)


def test_threads_that_ask_at_once_are_handed_one_decoding() -> None:
    calls.clear()
    kept = KeptCoefficients(decode_slowly, b"four")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept(), range(16)))
    assert calls == [b"four"]
    assert all(one is found[0] for one in found)
    assert (found[0][0] == 4).all()


def test_no_reader_can_change_what_another_is_handed() -> None:
    for array in KeptCoefficients(decode_slowly, b"four")():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    jpeg = read_evidence(make_jpeg()).jpeg
    assert jpeg is not None
    assert jpeg.read_coefficients() is jpeg.read_coefficients()
    assert not any(array.flags.writeable for array in jpeg.read_coefficients())


def test_a_failure_is_not_kept() -> None:
    calls.clear()
    kept = KeptCoefficients(decode_slowly, b"damaged")
    for _ in range(2):
        with pytest.raises(EvidenceError, match="made to fail"):
            kept()
    assert len(calls) == 2


def test_a_pickle_holds_the_file_and_not_its_coefficients() -> None:
    kept = KeptCoefficients(decode_slowly, b"four")
    before = len(pickle.dumps(kept))
    kept()
    content = pickle.dumps(kept)
    assert len(content) == before
    assert (pickle.loads(content)()[0] == 4).all()  # noqa: S301


def test_coefficients_are_freed_with_the_evidence() -> None:
    evidence = read_evidence(make_jpeg())
    assert evidence.jpeg is not None
    seen = weakref.ref(evidence.jpeg.read_coefficients()[0])
    assert seen() is not None
    del evidence
    gc.collect()
    assert seen() is None
