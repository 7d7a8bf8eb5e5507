"""Make JPEG files that were saved exactly once, by encoders that round in different ways.

    IMFORENSICS_DATA=/path/to/data python scripts/make_single_saves.py FOLDER --split val
    python scripts/make_single_saves.py FOLDER --photographs OTHER_FOLDER

Photographs are made smaller by `--reduction` (means of squares of pixels), which leaves no trace of the JPEG
that they come from, cut to sides drawn from SIDES, and saved once by each family. Families whose encoder is
not installed are left out with a line that says so: `jpegli` needs the package pyjpegli, `mozjpeg` needs
pyvips with pyvips-binary, whose libvips holds it. None is a dependency of the project. Writes the files and
manifest.csv, which a new run replaces; the same arguments and versions give the same files. `--twice` makes
the control: each picture saved before at an IJG quality drawn from FIRST_QUALITIES, 4:4:4, on the same grid.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import jpeglib
import numpy as np
from PIL import Image, JpegImagePlugin
from PIL.JpegPresets import presets

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.layout import list_images
from imforensics.evidence.block_dct import block_dct
from imforensics.pipeline.evaluate.protocols import seeded_generator
from imforensics.preprocessing.jpeg import resave_jpeg
from imforensics.types import FloatArray, Int16Array, UInt8Array

Encoder = Callable[[UInt8Array, np.random.Generator], tuple[bytes, str]]

SIDES = (64, 96, 128, 200, 320, 100_000)  # pixels at most; the last is the whole picture
QUALITIES = (50, 98)  # IJG, drawn between these
FIRST_QUALITIES = (50, 95)
ROUNDINGS = (
    0.0,
    0.17,
    0.33,
    0.42,
)  # added to |x| / divisor before the fraction is cut off; 0.5 is to nearest
COLUMNS = ("file", "family", "setting", "source", "height", "width")


def main() -> None:
    """Make the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=["train", "val", "test"], default="val")
    parser.add_argument("--photographs", type=Path, help="folder of photographs instead of the set `photos`")
    parser.add_argument("--reduction", type=int, default=4)
    parser.add_argument("--twice", action="store_true", help="save twice instead: the control")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    paths = (
        list_images(arguments.photographs)
        if arguments.photographs
        else [sample.image_path for sample in load_split(load_dataset("photos"), arguments.split)]
    )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    families, rows = _installed_families(), []
    for path in paths:
        whole = _reduce(path, arguments.reduction)
        for name, encode in families.items():
            rng = seeded_generator(arguments.seed, f"{name} {path.name}")
            pixels, before = _cut(whole, rng), ""
            if arguments.twice:
                quality = int(rng.integers(FIRST_QUALITIES[0], FIRST_QUALITIES[1] + 1))
                pixels, before = (
                    resave_jpeg(pixels, quality=quality, subsampling="4:4:4"),
                    f"{quality}, then ",
                )
            data, setting = encode(pixels, rng)
            setting = before + setting
            target = arguments.folder / f"{path.stem}_{name}.jpg"
            target.write_bytes(data)
            rows.append((target.name, name, setting, path.name, *pixels.shape[:2]))
    with (arguments.folder / "manifest.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    print(f"{len(rows)} files of {len(paths)} photographs: {', '.join(families)}")


def _installed_families() -> dict[str, Encoder]:
    families: dict[str, Encoder] = {
        "ijg": _save_ijg,
        "photoshop": _save_photoshop,
        "dead_zone": _save_dead_zone,
    }
    probe = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name, package, encode in (
        ("jpegli", "pyjpegli", _save_jpegli),
        ("mozjpeg", "pyvips", _save_mozjpeg),
    ):
        try:
            import_module(package)
        except (ImportError, OSError):  # OSError: pyvips without libvips
            print(f"{name} is left out: the package {package} is not installed")
            continue
        if name == "mozjpeg" and _save_vips(probe, trellis=True) == _save_vips(probe, trellis=False):
            print("mozjpeg is left out: this libvips was built without it")
            continue
        families[name] = encode
    return families


def _reduce(path: Path, factor: int) -> UInt8Array:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").reduce(factor))


def _cut(pixels: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """A part of it, at a place drawn by chance."""
    side = int(rng.choice(SIDES))
    height, width = (min(side, length) for length in pixels.shape[:2])
    top = int(rng.integers(pixels.shape[0] - height + 1))
    left = int(rng.integers(pixels.shape[1] - width + 1))
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def _draw_quality(rng: np.random.Generator) -> int:
    return int(rng.integers(QUALITIES[0], QUALITIES[1] + 1))


def _save_pillow(pixels: UInt8Array, **settings: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **settings)
    return buffer.getvalue()


def _save_ijg(pixels: UInt8Array, rng: np.random.Generator) -> tuple[bytes, str]:
    quality, sampling = _draw_quality(rng), str(rng.choice(["4:4:4", "4:2:0"]))
    return _save_pillow(pixels, quality=quality, subsampling=sampling), f"quality {quality}, {sampling}"


def _save_photoshop(pixels: UInt8Array, rng: np.random.Generator) -> tuple[bytes, str]:
    """Photoshop's tables; the rounding is libjpeg's."""
    name = str(rng.choice(sorted(presets)))
    settings = {"qtables": presets[name]["quantization"], "subsampling": presets[name]["subsampling"]}
    return _save_pillow(pixels, **settings), name


def _save_jpegli(pixels: UInt8Array, rng: np.random.Generator) -> tuple[bytes, str]:
    quality = _draw_quality(rng)
    height, width = pixels.shape[:2]
    return import_module("pyjpegli").encode(pixels.tobytes(), width, height, quality), f"quality {quality}"


def _save_mozjpeg(pixels: UInt8Array, rng: np.random.Generator) -> tuple[bytes, str]:
    quality, sampling = _draw_quality(rng), str(rng.choice(["off", "on"]))
    data = _save_vips(pixels, trellis=True, quality=quality, sampling=sampling)
    return data, f"quality {quality}, chroma subsampling {sampling}"


def _save_vips(pixels: UInt8Array, *, trellis: bool, quality: int = 75, sampling: str = "on") -> bytes:
    """mozjpeg's own table and, with `trellis`, its quantization, as sharp's option `mozjpeg` sets them."""
    height, width = pixels.shape[:2]
    image = import_module("pyvips").Image.new_from_memory(pixels.tobytes(), width, height, 3, "uchar")
    data: bytes = image.jpegsave_buffer(
        Q=quality,
        subsample_mode=sampling,
        trellis_quant=trellis,
        overshoot_deringing=True,
        optimize_scans=True,
        interlace=True,
        quant_table=3,
    )
    return data


def _save_dead_zone(pixels: UInt8Array, rng: np.random.Generator) -> tuple[bytes, str]:
    """Coefficients rounded towards 0, as hardware and some cameras do to spare bits."""
    quality, rounding = _draw_quality(rng), float(rng.choice(ROUNDINGS))
    template = _save_pillow(pixels, quality=quality, subsampling="4:4:4")
    planes = np.asarray(Image.fromarray(pixels).convert("YCbCr"), dtype=np.float32) - 128
    tables = JpegImagePlugin.JpegImageFile(io.BytesIO(template)).quantization
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "template.jpg", Path(folder) / "rounded.jpg"
        source.write_bytes(template)
        jpeg = jpeglib.read_dct(str(source))
        for index, channel in enumerate(("Y", "Cb", "Cr")):
            plane = planes[:, :, index]
            padded = np.pad(plane, [(0, -length % 8) for length in plane.shape], mode="edge")
            table = np.array(tables[min(index, 1)], dtype=np.float32).reshape(8, 8)
            setattr(jpeg, channel, _round_towards_zero(block_dct(padded) / table, rounding))
        jpeg.write_dct(str(target))
        return target.read_bytes(), f"quality {quality}, rounding {rounding:g}"


def _round_towards_zero(scaled: FloatArray, rounding: float) -> Int16Array:
    magnitudes = np.floor(np.abs(scaled) + np.float32(rounding))
    magnitudes[..., 0, 0] = np.floor(np.abs(scaled[..., 0, 0]) + 0.5)
    return np.asarray(np.sign(scaled) * magnitudes, dtype=np.int16)


if __name__ == "__main__":
    main()
