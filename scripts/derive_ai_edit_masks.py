"""Gather photographs edited by AI tools, beside their originals, and derive masks from the difference.

The edits are those of scripts/ai_edits.csv, files of a public repository by commit, path and SHA-256. The
repository has no masks. One is derived where the two pictures can be aligned: the original is resampled to
the edit's size and, unless the sizes were equal, moved onto it by an affine transform (enhanced correlation
coefficient, Evangelidis and Psarakis, doi 10.1109/TPAMI.2008.113). Both are blurred (sigma 2 pixels at a long
side of 1536) and their median difference is taken off each channel. What differs by more than HIGH grey
levels, and all that hangs together with it above LOW, is the mask; where the original was moved, one pixel of
misplacement (the local gradient) is taken off before. Gaps are closed, holes filled, specks dropped. A pair
counts as aligned where the deviation of the difference is at most MAX_DEVIATION grey levels.

Most tools return a new picture of about a megapixel: there the mask says where the content changed, while
the traces of the tool are everywhere (column `resampled`). A visible watermark is part of the mask. The
folder can be read as data set `folder`; edits that cannot be aligned have no mask.

    python scripts/derive_ai_edit_masks.py -o FOLDER
    python scripts/derive_ai_edit_masks.py -o FOLDER --from CLONES --exclude DIGESTS
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from package_archives import GatherError
from photograph_lists import read_digests
from repository_files import read_files

LIST = Path(__file__).with_name("ai_edits.csv")
SIDE = 1536  # pixels; long side at which pictures are compared
BLUR = 2.0  # pixels at SIDE
HIGH_LOW = {True: (16.0, 8.0), False: (6.0, 3.0)}  # grey levels, by whether the edit was resampled
DEVIATIONS = (6.0, 3.0)  # HIGH and LOW are at least these multiples of the deviation
MAX_DEVIATION = 8.0  # grey levels
CLOSING = 0.006  # of the diagonal
MIN_AREA = 5e-4  # of the picture
MANIFEST = ("image", "label", "mask", "group", "host")
EDITS = ("original", "edited", "mask", "tool", "resampled", "aligned", "deviation", "area")

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Derived:
    """A mask and what it rests on.

    Attributes:
        mask: (H, W), of the edit's size, True where the content was changed.
        deviation: 1.4826 times the median difference, grey levels.
        is_resampled: the edit has not the original's size.
    """

    mask: Mask
    deviation: float
    is_resampled: bool

    @property
    def is_aligned(self) -> bool:
        """Whether the pictures agree well enough for the mask to mean something."""
        return self.deviation <= MAX_DEVIATION


def main() -> None:
    """Gather the pairs, derive the masks and print one line for each edit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the pairs and masks")
    parser.add_argument("--list", type=Path, default=LIST, help="which edits (default: %(default)s)")
    parser.add_argument(
        "--exclude", type=Path, metavar="FILE", help="leave out edits and originals by SHA-256, one a line"
    )
    parser.add_argument(
        "--from", dest="clones", type=Path, metavar="FOLDER", help="read the repository from a clone in it"
    )
    options = parser.parse_args()
    try:
        refused = read_digests(options.exclude) if options.exclude else frozenset()
        write_pairs(options.list, options.output, refused=refused, clones=options.clones)
    except GatherError as error:
        sys.exit(f"derive_ai_edit_masks: {error}")


def write_pairs(listing: Path, output: Path, *, refused: Collection[str], clones: Path | None) -> None:
    """Write originals, edits, masks, manifest.csv (data set `folder`) and edits.csv.

    Raises:
        GatherError: a file is not to be had, or is not the one of the list.
    """
    with listing.open(encoding="utf-8", newline="") as lines:
        rows = [
            row for row in csv.DictReader(lines) if not {row["sha256"], row["original_sha256"]} & {*refused}
        ]
    for name in ("originals", "edits", "masks"):
        (output / name).mkdir(parents=True, exist_ok=True)
    manifest, edits = {}, []
    with tempfile.TemporaryDirectory(prefix="derive_ai_edit_masks_") as scratch:
        for row, original, edited in read_pairs(rows, Path(scratch), clones):
            names = name_files(row)
            (output / names["original"]).write_bytes(original)
            (output / names["edited"]).write_bytes(edited)
            derived = derive_mask(read_pixels(original), read_pixels(edited))
            mask = names["mask"] if derived.is_aligned else ""
            if mask:
                Image.fromarray(derived.mask).save(output / mask)
            host = row["original_sha256"][:12]
            manifest[names["original"]] = (names["original"], "authentic", "", row["scene"], host)
            manifest[names["edited"]] = (names["edited"], "tampered", mask, row["scene"], host)
            flags = ("yes" if is_so else "no" for is_so in (derived.is_resampled, derived.is_aligned))
            figures = (f"{derived.deviation:.1f}", f"{derived.mask.mean():.4f}" if mask else "")
            edits.append((names["original"], names["edited"], mask, row["tool"], *flags, *figures))
            print(*edits[-1][1:], sep=", ", flush=True)
    write_csv(output / "manifest.csv", MANIFEST, manifest.values())
    write_csv(output / "edits.csv", EDITS, edits)
    print(f"{sum(bool(edit[2]) for edit in edits)} masks of {len(edits)} edits in {output}")


def read_pairs(
    rows: Collection[Mapping[str, str]], scratch: Path, clones: Path | None
) -> Iterator[tuple[Mapping[str, str], bytes, bytes]]:
    """Each row with the content of original and edit.

    Raises:
        GatherError: a file is not to be had, or has another SHA-256.
    """
    for number, row in enumerate(rows):
        folder = scratch / str(number)
        folder.mkdir()
        paths = [row["original_path"], row["path"]]
        files = list(read_files(row["repository"], row["commit"], paths, folder, clones=clones))
        if [hashlib.sha256(data).hexdigest() for data in files] != [row["original_sha256"], row["sha256"]]:
            raise GatherError(
                f"{row['repository']} at {row['commit'][:12]} has not the files of {row['path']}"
            )
        yield row, files[0], files[1]


def name_files(row: Mapping[str, str]) -> dict[str, str]:
    """Where original, edit and mask of a row go, below the output folder."""
    owner, digest = row["repository"].partition("/")[0], row["sha256"][:12]
    return {
        "original": f"originals/{owner}_{row['original_sha256'][:12]}.jpg",
        "edited": f"edits/{owner}_{digest}{Path(row['path']).suffix}",
        "mask": f"masks/{owner}_{digest}_mask.png",
    }


def read_pixels(data: bytes) -> Pixels:
    """Pixels (H, W, 3) as stored: no rotation is applied, the edits have none either."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def derive_mask(original: Pixels, edited: Pixels) -> Derived:
    """Where an edit differs from its original, as the head of this file says.

    Args:
        original: (H, W, 3) uint8.
        edited: the same scene at any size, (h, w, 3) uint8.
    """
    height, width = edited.shape[:2]
    is_resampled = original.shape != edited.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    after = cv2.resize(edited, size, interpolation=cv2.INTER_AREA)
    before = cv2.resize(original, size, interpolation=cv2.INTER_AREA)
    seen = np.ones(after.shape[:2], dtype=bool)
    if is_resampled:
        before, seen = move_onto(before, after)
    before, after = (cv2.GaussianBlur(each.astype(np.float32), (0, 0), BLUR) for each in (before, after))
    difference = after - before
    difference = np.abs(difference - np.median(difference[seen], axis=0)).max(axis=2)
    deviation = 1.4826 * float(np.median(difference[seen]))  # of a normal distribution, by its median
    high, low = (
        max(pair) for pair in zip(HIGH_LOW[is_resampled], np.multiply(DEVIATIONS, deviation), strict=True)
    )
    if is_resampled:
        difference = difference - measure_gradient(before)
    mask = clean(grow(difference, high=high, low=low) & seen)
    whole = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5
    return Derived(whole, deviation, is_resampled)


def move_onto(before: Pixels, after: Pixels) -> tuple[Pixels, Mask]:
    """The original moved onto the edit, both (H, W, 3), and what it covers; unmoved where that fails."""
    grey = [
        cv2.GaussianBlur(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        for each in (after, before)
    ]
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-5)
    start = np.eye(2, 3, dtype=np.float32)
    everywhere = np.ones(before.shape[:2], np.uint8)
    try:
        _, transform = cv2.findTransformECC(
            grey[0], grey[1], start, cv2.MOTION_AFFINE, criteria, everywhere, 5
        )
    except cv2.error:  # no convergence: the scene was drawn anew
        return before, everywhere > 0
    size = (after.shape[1], after.shape[0])
    inverse = cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(
        before, transform, size, flags=cv2.INTER_LINEAR | inverse, borderMode=cv2.BORDER_REFLECT
    )
    covered = cv2.warpAffine(everywhere, transform, size, flags=cv2.INTER_NEAREST | inverse)
    return moved, covered > 0


def measure_gradient(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Grey levels that one pixel of misplacement can make, (H, W): the largest gradient nearby."""
    slopes = [cv2.Sobel(picture, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))]
    steepest = cv2.magnitude(slopes[0], slopes[1]).max(axis=2)
    return np.asarray(cv2.dilate(steepest, np.ones((3, 3), np.uint8)), dtype=np.float32)


def grow(difference: NDArray[np.float32], *, high: float, low: float) -> Mask:
    """The regions above `low` that reach `high`."""
    labels, count = ndimage.label(difference > low)
    reaches = np.zeros(count + 1, dtype=bool)
    reaches[labels[difference > high]] = True
    reaches[0] = False
    return np.asarray(reaches[labels])


def clean(mask: Mask) -> Mask:
    """The mask with gaps closed, holes filled, threads cut and specks dropped."""
    side = max(3, round(CLOSING * float(np.hypot(*mask.shape)))) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = ndimage.binary_fill_holes(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0)
    opened = cv2.morphologyEx(closed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    labels, _ = ndimage.label(opened)
    is_large = np.bincount(labels.ravel()) >= MIN_AREA * mask.size
    is_large[0] = False
    return np.asarray(is_large[labels])


def write_csv(path: Path, columns: tuple[str, ...], rows: Collection[tuple[str, ...]]) -> None:
    """Write one table with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
