"""Authentic photographs in memory, from which hosts and donors are cut."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, JpegImagePlugin
from PIL.ExifTags import Base

from imforensics.datasets.rasters import read_rgb
from imforensics.datasets.synthesis.saves import TableSet
from imforensics.errors import DatasetError
from imforensics.evidence.decoding import SIDEWAYS, applied_orientation, undo_orientation
from imforensics.evidence.library_output import caught_output

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imforensics.preprocessing.jpeg import Subsampling
    from imforensics.types import UInt8Array

GRID = 16  # pixels: cuts at its multiples keep the 8x8 grid, and that of halved chroma
MIN_SIDE = 64
FLAT_RANGE = 8  # gray levels within a row or column of a bar, on a picture reduced by 8
FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
SUBSAMPLINGS: dict[int, Subsampling] = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True, slots=True)
class Photo:
    """One photograph of a pool, by what its header says.

    Attributes:
        path: the file.
        name: what it is called in recipes and manifests.
        height: of the window that is used, in pixels.
        width: likewise.
        top: first row of the window, a multiple of 16.
        left: first column, likewise.
        is_jpeg: True for a JPEG file.
        device: make and model of the camera in the EXIF data; empty where they are not there.
        table_set: tables and subsampling of a colour JPEG; None for others.
    """

    path: Path
    name: str
    height: int
    width: int
    top: int
    left: int
    is_jpeg: bool
    device: str = ""
    table_set: TableSet | None = None


class PhotoPool:
    """Photographs, decoded when they are first asked for and kept as long as they fit.

    Attributes:
        photos: those that can be used.
        real_tables: different quantization tables of the JPEG files among them.
        unreadable: files that are no image.
        too_small: files with a side below 64 pixels, bars of one colour left out.
    """

    def __init__(
        self,
        photos: tuple[Photo, ...],
        *,
        real_tables: tuple[TableSet, ...] = (),
        unreadable: tuple[Path, ...] = (),
        too_small: tuple[Path, ...] = (),
        cache_bytes: int = 2 << 30,
    ) -> None:
        """A pool of photographs; nothing is decoded yet.

        Raises:
            DatasetError: there is no photograph.
        """
        if not photos:
            raise DatasetError(
                f"Expected photographs of at least {MIN_SIDE}x{MIN_SIDE} pixels; received none "
                f"({len(unreadable)} unreadable, {len(too_small)} too small). Name a folder that holds some"
            )
        self.photos = photos
        self.real_tables = real_tables
        self.unreadable = unreadable
        self.too_small = too_small
        self._cache_bytes = cache_bytes
        self._held = 0
        self._cache: OrderedDict[int, UInt8Array] = OrderedDict()
        self._hosts: dict[tuple[int, int], tuple[int, ...]] = {}

    def __getstate__(self) -> dict[str, object]:
        """What another process needs: everything but decoded pixels."""
        return self.__dict__ | {"_cache": OrderedDict(), "_held": 0}

    def __len__(self) -> int:
        """Number of photographs."""
        return len(self.photos)

    def take(self, numbers: Sequence[int], *, share: int = 1) -> PhotoPool:
        """A pool of some of the photographs, with all real tables, and one `share`-th of the memory.

        Raises:
            DatasetError: there are none.
        """
        return PhotoPool(
            tuple(self.photos[number] for number in numbers),
            real_tables=self.real_tables,
            cache_bytes=self._cache_bytes // share,
        )

    def pixels(self, number: int) -> UInt8Array:
        """The photograph's window, (H, W, 3) uint8 RGB, read-only.

        Raises:
            DatasetError: the file cannot be decoded.
        """
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        photo = self.photos[number]
        whole = read_rgb(photo.path)
        window = whole[photo.top : photo.top + photo.height, photo.left : photo.left + photo.width]
        pixels = window if window.shape == whole.shape else np.array(window)
        if pixels.shape[:2] != (photo.height, photo.width):
            raise DatasetError(f"{photo.path} has changed since the pool was made. Make the pool again")
        pixels.flags.writeable = False
        self._cache[number] = pixels
        self._held += pixels.nbytes
        while self._held > self._cache_bytes and len(self._cache) > 1:
            self._held -= self._cache.popitem(last=False)[1].nbytes
        return pixels

    def find_hosts(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Numbers of the photographs that hold a picture of this (height, width), upright or turned.

        Raises:
            DatasetError: there is none.
        """
        if size not in self._hosts:
            short, long = sorted(size)
            self._hosts[size] = tuple(
                number
                for number, photo in enumerate(self.photos)
                if min(photo.height, photo.width) >= short and max(photo.height, photo.width) >= long
            )
        if not self._hosts[size]:
            raise DatasetError(
                f"None of the {len(self)} photographs holds {size[0]}x{size[1]} pixels. "
                "Add larger ones, or ask for a smaller size"
            )
        return self._hosts[size]


def load_pool(
    paths: Iterable[Path],
    *,
    root: Path | None = None,
    max_side: int | None = None,
    cache_bytes: int = 2 << 30,
) -> PhotoPool:
    """A pool of the photographs at these paths.

    Headers are read now, and where bars of one colour end (`find_content`); pixels when they are needed.

    Args:
        paths: image files, in the order that numbers them.
        root: folder that the photographs' names start from; None names them by their files' names.
        max_side: of larger photographs the window of at most so many pixels a side in the middle is used, at
            its own resolution and on its own JPEG grid; None uses them whole.
        cache_bytes: decoded photographs kept in memory, at most.

    Returns:
        The pool, with the quantization tables of the JPEG files.

    Raises:
        DatasetError: no photograph can be used.
    """
    photos: list[Photo] = []
    unreadable: list[Path] = []
    too_small: list[Path] = []
    tables: dict[bytes, TableSet] = {}
    for path in paths:
        name = path.name if root is None else path.relative_to(root).as_posix()
        try:
            photo = _read_photo(path, name, max_side)
        except Exception:  # decoders raise of every kind on damaged input
            unreadable.append(path)
            continue
        if min(photo.height, photo.width) < MIN_SIDE:
            too_small.append(path)
            continue
        photos.append(photo)
        if photo.table_set is not None:
            key = b"".join(table.tobytes() for table in photo.table_set.tables)
            tables.setdefault(key + str(photo.table_set.subsampling).encode(), photo.table_set)
    return PhotoPool(
        tuple(photos),
        real_tables=tuple(tables.values()),
        unreadable=tuple(unreadable),
        too_small=tuple(too_small),
        cache_bytes=cache_bytes,
    )


def _read_photo(path: Path, name: str, max_side: int | None) -> Photo:
    """What a pool knows of a photograph before it is needed."""
    with caught_output(), Image.open(path, formats=FORMATS) as image:
        table_set = _read_tables(image, path.name)
        is_jpeg, device = image.format == "JPEG", _read_device(image)
        (top, bottom), (left, right) = (
            _cut_middle(start, stop, max_side) for start, stop in find_content(image)
        )
    return Photo(path, name, bottom - top, right - left, top, left, is_jpeg, device, table_set)


def _read_device(image: Image.Image) -> str:
    """Make and model as the EXIF data name them, in capitals; the make once."""
    tags = image.getexif()
    make, model = (str(tags.get(tag, "")).strip("\0 ").upper() for tag in (Base.Make, Base.Model))
    return model if model.startswith(make) else f"{make} {model}"


def find_content(image: Image.Image) -> list[tuple[int, int]]:
    """The part of a picture within bars of one colour along its borders, as letterboxes have.

    Returns:
        First and last row (exclusive), first and last column, cut to multiples of 16 where there is a bar;
        an empty range where all is of one colour. A JPEG is decoded at an eighth of its size for it.
    """
    orientation, (width, height) = applied_orientation(image), image.size
    image.draft("RGB", (width // 8, height // 8))
    reduced = image.convert("RGB").resize((max(1, width // 8), max(1, height // 8)), Image.Resampling.BOX)
    pixels = undo_orientation(np.asarray(reduced), orientation).astype(np.int16)
    height, width = (width, height) if orientation in SIDEWAYS else (height, width)
    ranges = []
    for axis, side in ((1, height), (0, width)):
        is_flat = (pixels.max(axis=axis) - pixels.min(axis=axis)).max(axis=1) <= FLAT_RANGE
        used = np.flatnonzero(~is_flat)
        if not len(used):
            ranges.append((0, 0))
            continue
        start = (
            0 if used[0] == 0 else -(-int(used[0] + 1) * 8 // GRID) * GRID
        )  # the block at an edge is mixed
        stop = side if used[-1] == len(is_flat) - 1 else int(used[-1]) * 8 // GRID * GRID
        ranges.append((start, max(start, stop)))
    return ranges


def _cut_middle(start: int, stop: int, limit: int | None) -> tuple[int, int]:
    """At most `limit` pixels in the middle of a range, from a multiple of 16 pixels after its start."""
    if limit is None or stop - start <= limit:
        return start, stop
    first = start + (stop - start - limit) // 2 // GRID * GRID
    return first, first + limit


def _read_tables(image: Image.Image, name: str) -> TableSet | None:
    """Luma and chroma tables of a colour JPEG with one of the usual subsamplings; None for others."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.mode != "RGB":
        return None
    subsampling = SUBSAMPLINGS.get(JpegImagePlugin.get_sampling(image))
    found = image.quantization
    if subsampling is None or not 1 <= len(found) <= 2:
        return None
    tables = [np.array(found[key], dtype=np.uint16).reshape(8, 8) for key in sorted(found)]
    if any(table.min() < 1 or table.max() > 255 for table in tables):
        return None
    return TableSet(f"file {name}", (tables[0], tables[-1]), subsampling)
