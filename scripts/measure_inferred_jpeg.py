"""How often the JPEG behind a picture's pixels is found, how exactly, and how often where there is none.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_inferred_jpeg.py --split test [--localizer]

Takes the authentic images of CASIA v1, `photos` and `photos_web`, all JPEGs, as other programs leave them:
decoded into a lossless file, cropped, saved again before; and, where nothing must be found, resized, toned,
with noise, in a palette, or in another lossy format. With `--localizer` the tampered images of CASIA v1 too:
pixel AUC of the maps of three methods on the file itself and on its pixels alone, whole and cropped.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image, ImageFilter

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask
from imforensics.evidence import read_evidence
from imforensics.evidence.virtual_jpeg import infer_jpeg
from imforensics.methods import load_method
from imforensics.metrics.detection import roc_auc
from imforensics.pipeline.analyze import run_method
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.types import Evidence, InferredJpeg, Int16Array, UInt8Array, UInt16Array

DATASETS = ("casia1", "photos", "photos_web")
METHODS = ("localizer", "double_quantization", "dct_histograms")
CASES = ("file", "PNG", "PNG, cropped", "PNG, nothing inferred")
FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
SMALL = 96  # pixels a side of the small crops


@dataclass(frozen=True)
class Trial:
    """Pixels in one of the cases; the truth where they come from a JPEG."""

    case: str
    pixels: UInt8Array
    offset: tuple[int, int] | None = None
    table: UInt16Array | None = None
    quantized: Int16Array | None = None  # of the whole blocks


@dataclass
class Row:
    """Counts of one case."""

    count: int = 0
    found: int = 0
    grid: int = 0
    seen: int = 0
    whole: int = 0
    exact: list[float] = field(default_factory=list)
    weakest: list[tuple[float, float, bool]] = field(default_factory=list)

    def add(self, trial: Trial, inferred: InferredJpeg | None) -> None:
        """Compare what was found with the truth."""
        self.count += 1
        if inferred is None:
            return
        self.found += 1
        is_grid = inferred.offset == trial.offset
        is_right = trial.table is not None and is_grid
        if is_right:
            same = inferred.table == trial.table
            self.grid += 1
            self.whole += bool(same.all())
            is_right = bool(same[inferred.is_seen].all())
            self.seen += is_right
            if trial.quantized is not None:
                self.exact.append(float((inferred.read_coefficients() == trial.quantized).mean()))
        self.weakest.append((inferred.gain, inferred.fit, is_right))


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", default="val")
    parser.add_argument("--dataset", nargs="+", default=DATASETS)
    parser.add_argument("--localizer", action="store_true")
    parser.add_argument("--step", type=int, default=1, help="take every STEP-th image")
    arguments = parser.parse_args()
    if arguments.localizer:
        compare_maps(arguments.split, arguments.step)
        return
    for name in arguments.dataset:
        rows: dict[str, Row] = {}
        dataset = load_dataset(name)
        samples = [sample for sample in load_split(dataset, arguments.split) if sample.label == 0]
        for index, sample in enumerate(samples[:: arguments.step]):
            evidence = read_evidence(sample.image_path)
            for trial in make_trials(evidence, np.random.default_rng(index)):
                row = rows.setdefault(trial.case, Row())
                row.add(trial, infer_jpeg(trial.pixels))
        print_rows(f"{name}, {arguments.split}", rows)


def print_rows(title: str, rows: dict[str, Row]) -> None:
    """One table."""
    print(f"\n{title}\n")
    print("| case | n | found | right grid | seen divisors right | all 64 right | coefficients equal |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for case, row in rows.items():
        exact = f"{np.mean(row.exact):.4f}, least {min(row.exact):.3f}" if row.exact else ""
        counts = f"{row.count} | {row.found} | {row.grid} | {row.seen} | {row.whole}"
        print(f"| {case} | {counts} | {exact} |")
    found = [each for row in rows.values() for each in row.weakest]
    for is_right in (True, False):
        weakest = sorted((gain, fit) for gain, fit, right in found if right is is_right)[:6]
        listed = ", ".join(f"{gain:.0f} ({fit:.3f})" for gain, fit in weakest)
        print(f"\nleast gain (and fit) of what is {'right' if is_right else 'wrong'}: {listed}")


def make_trials(evidence: Evidence, rng: np.random.Generator) -> Iterator[Trial]:
    """One image in every case."""
    pixels = evidence.pixels
    if evidence.jpeg is not None:
        rows, columns = (side // 8 for side in pixels.shape[:2])
        quantized = evidence.jpeg.read_coefficients()[0]
        table = evidence.jpeg.quantization_tables[0]
        if quantized.shape[0] <= rows + 1:  # its luma is not subsampled
            yield Trial("PNG of the file", pixels, (0, 0), table, quantized[:rows, :columns])
            yield from _crop("PNG, cropped", pixels, table, rng)
            yield from _crop(f"PNG, {SMALL}x{SMALL} of it", pixels, table, rng, side=SMALL)
            yield Trial("HEIC at 80", _through_heif(Image.fromarray(pixels)), (0, 0), table)
    quality = int(rng.integers(50, 99))
    again = encode_jpeg(pixels, quality=quality, subsampling=("4:4:4", "4:2:2", "4:2:0")[rng.integers(3)])
    saved = read_evidence(again)
    if saved.jpeg is not None:
        yield from _crop(
            "saved again at 50 to 98, cropped", saved.pixels, saved.jpeg.quantization_tables[0], rng
        )
        yield from _edit("the same, a sixth altered", saved.pixels, saved.jpeg.quantization_tables[0], rng)
    yield from _destroy(pixels, rng)


def _crop(
    case: str, pixels: UInt8Array, table: UInt16Array, rng: np.random.Generator, *, side: int | None = None
) -> Iterator[Trial]:
    height, width = pixels.shape[:2]
    top, left = (int(at) for at in rng.integers(0, 32, 2))
    if side is not None:
        top, left = (int(rng.integers(0, length - side + 1)) for length in (height, width))
    bottom, right = (height, width) if side is None else (top + side, left + side)
    yield Trial(case, pixels[top:bottom, left:right], (-top % 8, -left % 8), table)


def _edit(case: str, pixels: UInt8Array, table: UInt16Array, rng: np.random.Generator) -> Iterator[Trial]:
    """A sixth of the area blurred after decoding."""
    height, width = pixels.shape[:2]
    rows, columns = int(height * 0.41), int(width * 0.41)
    top, left = int(rng.integers(0, height - rows)), int(rng.integers(0, width - columns))
    altered = pixels.copy()
    part = Image.fromarray(np.ascontiguousarray(pixels[top : top + rows, left : left + columns]))
    altered[top : top + rows, left : left + columns] = np.array(part.filter(ImageFilter.GaussianBlur(1)))
    yield Trial(case, altered, (0, 0), table)


def _destroy(pixels: UInt8Array, rng: np.random.Generator) -> Iterator[Trial]:
    """What leaves no JPEG that could be found."""
    image = Image.fromarray(pixels)
    factor = float(rng.choice([rng.uniform(0.4, 0.97), rng.uniform(1.05, 2)]))
    size = tuple(max(16, round(side * factor)) for side in image.size)
    yield Trial("resized to 0.4 to 2", np.array(image.resize(size, FILTERS[rng.integers(3)])))  # type: ignore[arg-type]
    quarter = [side // 4 * 4 for side in pixels.shape[:2]]
    means = pixels[: quarter[0], : quarter[1]].reshape(quarter[0] // 4, 4, quarter[1] // 4, 4, 3)
    yield Trial("made four times smaller", np.rint(means.mean(axis=(1, 3))).astype(np.uint8))
    yield Trial("turned by 1 degree", np.array(image.rotate(1, Image.Resampling.BICUBIC))[16:-16, 16:-16])
    curve = np.rint(255 * (np.arange(256) / 255) ** 0.8).astype(np.uint8)
    yield Trial("toned (gamma 0.8)", curve[pixels])
    noisy = pixels + rng.normal(0, 2, pixels.shape)
    yield Trial("noise of 2 gray levels", np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    yield Trial("GIF, adaptive palette", _through(image.convert("P", palette=Image.Palette.ADAPTIVE), "GIF"))
    yield Trial("WebP at 80", _through(image, "WEBP", quality=80))
    yield Trial("WebP at 95", _through(image, "WEBP", quality=95))


def _through(image: Image.Image, file_format: str, **settings: int) -> UInt8Array:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **settings)
    return np.array(Image.open(buffer).convert("RGB"))


def _through_heif(image: Image.Image) -> UInt8Array:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=80)
    return np.array(pillow_heif.open_heif(buffer, convert_hdr_to_8bit=True).to_pillow().convert("RGB"))


def compare_maps(split: str, step: int) -> None:
    """Pixel AUC of the tampered images of CASIA v1: the files, and their pixels alone."""
    methods = {name: load_method(name)() for name in METHODS}
    dataset = load_dataset("casia1")
    tampered = [(each.image_path, each.mask_path) for each in load_split(dataset, split) if each.label == 1]
    samples = [(image, mask) for image, mask in tampered if mask is not None]
    areas: dict[tuple[str, str], list[float]] = {}
    for index, (image_path, mask_path) in enumerate(samples[::step]):
        evidence, mask = read_evidence(image_path), read_mask(mask_path)
        rng = np.random.default_rng(index)
        top, left = (int(at) for at in rng.integers(1, 8, 2))
        whole = _as_png(evidence.pixels)
        cases = {
            "file": (evidence, mask),
            "PNG": (whole, mask),
            "PNG, cropped": (_as_png(evidence.pixels[top:, left:]), mask[top:, left:]),
            "PNG, nothing inferred": (replace(whole, history_reader=None), mask),
        }
        for case, (shown, truth) in cases.items():
            for name, method in methods.items():
                found = run_method(method, shown).map
                if found is not None and truth.any() and not truth.all():
                    areas.setdefault((case, name), []).append(roc_auc(found.values.ravel(), truth.ravel()))
    print(f"| method | {' | '.join(CASES)} |\n|---|{'---:|' * len(CASES)}")
    for name in METHODS:
        cells = [areas.get((case, name), []) for case in CASES]
        print(
            f"| {name} | {' | '.join(f'{np.mean(c):.3f} (n {len(c)})' if c else 'no map' for c in cells)} |"
        )


def _as_png(pixels: UInt8Array) -> Evidence:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=1)
    return read_evidence(buffer.getvalue(), name="made.png")


if __name__ == "__main__":
    main()
