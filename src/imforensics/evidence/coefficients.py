"""Quantized DCT coefficients of a JPEG, read by jpeglib (libjpeg-turbo) from memory."""

from __future__ import annotations

import ctypes
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from threading import Lock

import numpy as np

from imforensics.errors import EvidenceError
from imforensics.evidence.library_output import caught_output
from imforensics.types import Int16Array

_BACKEND = "turbo210"  # decodes as the other backends do, in about half the time of the default one


class KeptCoefficients:
    """The coefficients of one JPEG, decoded at the first call and kept as long as this object.

    Threads may call at once: one decodes, the others wait for it. What cannot be decoded is tried again at
    each call. A pickle holds the file's bytes only, so that another process decodes for itself.

    Attributes:
        messages: lines that the decoder wrote to standard error while it decoded.
    """

    def __init__(self, decode: Callable[[bytes], tuple[Int16Array, ...]], data: bytes) -> None:
        """Take the file's bytes and what decodes them: a module's function, which a pickle names."""
        self._decode = decode
        self._data = data
        self._filling = Lock()
        self._kept: tuple[Int16Array, ...] | None = None
        self.messages: tuple[str, ...] = ()

    def __call__(self) -> tuple[Int16Array, ...]:
        """One read-only (rows of blocks, columns of blocks, 8, 8) int16 array a component, natural order.

        Raises:
            EvidenceError: the data cannot be decoded.
        """
        with self._filling:
            if self._kept is None:
                lines: list[str] = []
                try:
                    with caught_output() as lines:
                        arrays = self._decode(self._data)
                finally:
                    self.messages = tuple(lines)
                for array in arrays:
                    array.flags.writeable = False
                self._kept = arrays
            return self._kept

    def __reduce__(self) -> tuple[object, ...]:
        """How a pickle or a copy is made: anew, with nothing decoded yet."""
        return type(self), (self._decode, self._data)


def read_coefficients(
    bare_jpeg: bytes, *, size: tuple[int, int], factors: Sequence[tuple[int, int]]
) -> tuple[Int16Array, ...]:
    """Entropy-decode a JPEG without dequantizing it.

    The buffers are sized from `size` and `factors`: these must come from the frame header in `bare_jpeg`.

    Args:
        bare_jpeg: a JPEG of tables, one frame header, scans and nothing else: application segments and
            comments are fuel for bugs in a C parser and carry no coefficients.
        size: (height, width) of the frame in pixels.
        factors: (vertical, horizontal) sampling factor of each component, 1 to 4 components.

    Returns:
        One (rows of blocks, columns of blocks, 8, 8) int16 array a component, natural order.

    Raises:
        EvidenceError: the data cannot be decoded, or have more than four components.
    """
    if not 1 <= len(factors) <= 4:
        raise EvidenceError(f"expected a JPEG with 1 to 4 components, received {len(factors)}")
    import jpeglib
    from jpeglib._bind import CJpegLib

    arrays = [np.zeros(shape, dtype=np.int16) for shape in _block_shapes(size, factors)]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays] + [None] * (4 - len(arrays))
    tables = ((ctypes.c_ushort * 64) * 4)()
    table_numbers = (ctypes.c_short * 4)()
    # jpeglib's choice of a backend and the redirections are the whole process's: methods that run side by
    # side read one after the other, which `caught_output` sees to. On failure jpeglib prints, and its DCT
    # reader closes a file that it may not have opened: the header is therefore read first, by the call that
    # fails cleanly.
    try:
        with (
            _as_file(bare_jpeg) as path,
            caught_output(),
            jpeglib.version(_BACKEND),
            redirect_stdout(io.StringIO()),
        ):
            CJpegLib.read_jpeg_markers(path, (ctypes.c_ubyte * 1)())
            CJpegLib.read_jpeg_dct(path, *pointers, qt=tables, quant_tbl_no=table_numbers)
    except OSError:
        raise EvidenceError(
            "the DCT coefficients of this JPEG cannot be decoded: its data are damaged or arithmetic-coded. "
            "Convert it with jpegtran, which is lossless, to have them read"
        ) from None
    return tuple(arrays)


def _block_shapes(
    size: tuple[int, int], factors: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, int, int]]:
    """Blocks down and across for each component: T.81, A.1.1 and A.2.4, without the padding of whole MCUs."""
    height, width = size
    most_down, most_across = (max(pair[axis] for pair in factors) for axis in (0, 1))
    for down, across in factors:
        yield -(-height * down // (most_down * 8)), -(-width * across // (most_across * 8)), 8, 8


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """A path under which a C library finds `content`: in memory on Linux, else a temporary file."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("imforensics")
        try:
            with open(descriptor, "wb", closefd=False) as stream:
                stream.write(content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bare.jpg")  # noqa: PTH118 — a C library takes the string
            with open(path, "wb") as stream:  # noqa: PTH123
                stream.write(content)
            yield path
