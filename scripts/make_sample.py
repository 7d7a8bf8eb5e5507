"""Make the bundled sample: an authentic photograph, a tampered copy of it, and the mask of what was altered.

    python scripts/make_sample.py            # writes data/samples/
    python scripts/make_sample.py --check    # exit 1 where data/samples/ is not what this script makes

The photograph is `china.jpg` by danielbuechele (CC BY 2.0), which scikit-learn ships. The tampered copy has a
second, smaller pavilion behind the tree on the lake shore: a copy of the large one's upper floors, shrunk,
with some haze, and hidden below by the tree. Both files end in the same JPEG encoder settings, so nothing
but the altered region tells them apart:

    authentic.jpg   photograph -> saved at quality 78, 4:2:0 -> decoded ----------------> quality 92, 4:4:4
    tampered.jpg    photograph -> saved at quality 78, 4:2:0 -> decoded -> pavilion added -> quality 92, 4:4:4

The pavilion comes from the photograph before its first save. JPEG decoders may differ by a few gray levels:
`--check` allows a largest difference of 16 levels and a mean one of 0.5.
"""

from __future__ import annotations

import argparse
import io
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).resolve().parents[1] / "data" / "samples"
FIRST_SAVE = {"quality": 78, "subsampling": "4:2:0"}
LAST_SAVE = {"quality": 92, "subsampling": "4:4:4"}
LARGEST_DIFFERENCE = 16  # gray levels, between decoders
MEAN_DIFFERENCE = 0.5

# Outline of the two upper floors in china.jpg, (x, y); the sky inside it is taken out by colour.
OUTLINE = [
    (193, 26), (218, 26), (222, 62), (266, 92), (324, 116), (324, 128), (298, 143), (297, 160), (333, 172),
    (333, 184), (323, 192), (322, 226), (328, 228), (328, 246), (92, 246), (92, 232), (97, 230), (96, 190),
    (80, 184), (80, 166), (118, 156), (117, 141), (93, 131), (93, 104), (150, 90), (190, 62),
]  # fmt: skip
CROP = (76, 20, 340, 246)  # left, top, right, bottom around the outline
SCALE = 0.45
PLACE = (398, 222)  # (x, y) of the shrunk crop's upper left corner
HAZE = (196, 208, 212)  # colour of the far shore
HAZE_SHARE = 0.10
TREE_LUMINANCE = (120.0, 160.0)  # all tree below the first, all lake above the second


def main() -> int:
    """Write the three files, or compare them with those there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare with data/samples/, write nothing")
    made = make_sample(load_photograph())
    if parser.parse_args().check:
        problems = [problem for name in made for problem in compare(name, made[name])]
        print("\n".join(problems) or f"{FOLDER} holds what this script makes")
        return 1 if problems else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (FOLDER / name).write_bytes(content)
        print(f"{FOLDER / name}: {len(content)} bytes")
    return 0


def load_photograph() -> Image.Image:
    """The photograph as scikit-learn ships it, (427, 640) RGB."""
    with (files("sklearn.datasets.images") / "china.jpg").open("rb") as file:
        return Image.open(file).convert("RGB")


def make_sample(photograph: Image.Image) -> dict[str, bytes]:
    """File name to content of the three files."""
    host = decode(encode(photograph, FIRST_SAVE))
    alpha = pavilion_alpha(photograph, host)
    pavilion = Image.blend(photograph, Image.new("RGB", photograph.size, HAZE), HAZE_SHARE)
    pasted = Image.composite(shrink(pavilion), host, alpha)
    mask = alpha.point([0] * 128 + [255] * 128).convert("1")
    buffer = io.BytesIO()
    mask.save(buffer, "PNG", optimize=True)
    return {
        "authentic.jpg": encode(host, LAST_SAVE),
        "tampered.jpg": encode(pasted, LAST_SAVE),
        "tampered_mask.png": buffer.getvalue(),
    }


def shrink(image: Image.Image) -> Image.Image:
    """The crop around the pavilion, shrunk and laid on an empty canvas of the image's size and mode."""
    crop = image.crop(CROP)
    small = crop.resize((round(crop.width * SCALE), round(crop.height * SCALE)), Image.Resampling.LANCZOS)
    canvas = Image.new(image.mode, image.size)
    canvas.paste(small, PLACE)
    return canvas


def pavilion_alpha(photograph: Image.Image, host: Image.Image) -> Image.Image:
    """How much of the pavilion shows at each pixel, 0-255: its outline less sky, less the tree before it."""
    outline = Image.new("L", photograph.size)
    ImageDraw.Draw(outline).polygon(OUTLINE, fill=255)
    rgb = np.asarray(photograph, dtype=np.float32)
    is_sky = (rgb.min(axis=2) > 150) & (rgb[..., 2] >= rgb[..., 0] + 4)
    is_sky[200:] = False  # below the horizon there is no sky, only the light balustrade
    solid = Image.fromarray(np.where(is_sky, np.uint8(0), np.asarray(outline)))
    shown = np.asarray(shrink(solid.filter(ImageFilter.GaussianBlur(0.8))), dtype=np.float32)
    return Image.fromarray((shown * (1.0 - tree_alpha(host))).round().astype(np.uint8))


def tree_alpha(host: Image.Image) -> NDArray[np.float32]:
    """Where the tree stands before the lake, (H, W) in [0, 1]: by darkness, and all below its crown."""
    luminance = np.asarray(host.convert("L").filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    dark, bright = TREE_LUMINANCE
    alpha = np.clip((bright - luminance) / (bright - dark), 0.0, 1.0)
    alpha[:260] = 0.0  # the island and the far shore are dark too; the pavilion stands before them
    crown = np.argmax(alpha > 0.8, axis=0)
    crown[~(alpha > 0.8).any(axis=0)] = alpha.shape[0]
    rows = np.arange(alpha.shape[0], dtype=np.float32)[:, None]
    below = np.clip((rows - crown[None, :] - 3) / 6.0, 0.0, 1.0)
    return np.maximum(alpha, below).astype(np.float32)


def encode(image: Image.Image, settings: dict[str, int | str]) -> bytes:
    """The image as a JPEG file without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", optimize=True, **settings)
    return buffer.getvalue()


def decode(content: bytes) -> Image.Image:
    """The pixels of a JPEG file."""
    return Image.open(io.BytesIO(content)).convert("RGB")


def compare(name: str, content: bytes) -> list[str]:
    """What is wrong with the file of that name in data/samples/; empty where nothing is."""
    path = FOLDER / name
    if not path.exists():
        return [f"{path} is missing. Run scripts/make_sample.py"]
    there = np.asarray(Image.open(path).convert("RGB"), dtype=np.int16)
    here = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int16)
    if there.shape != here.shape:
        return [f"{path} is {there.shape}, expected {here.shape}"]
    difference = np.abs(there - here)
    if name.endswith(".png"):
        share = float((difference > 0).mean())
        return [f"{path}: {share:.2%} of the mask differs"] if share > 0.001 else []
    if difference.max() > LARGEST_DIFFERENCE or difference.mean() > MEAN_DIFFERENCE:
        return [f"{path} differs by up to {difference.max()}, on average {difference.mean():.2f} gray levels"]
    return []


if __name__ == "__main__":
    sys.exit(main())
