"""Text written onto a photograph."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from imforensics.datasets.synthesis.forgery import Forgery
from imforensics.datasets.synthesis.splice import mix

if TYPE_CHECKING:
    from imforensics.types import JsonValue, UInt8Array

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
DATE_SHARE = 0.3
DATE_RANGES = ((1998, 2030), (1, 13), (1, 29), (0, 24), (0, 60))
LINE_SHARE = 0.45  # about the share of a line's box that its letters cover, after growing the mask


def forge_text(pixels: UInt8Array, rng: np.random.Generator, *, area: float = 0.02) -> Forgery:
    """Write one to three lines of random letters, or a date, in Pillow's own font. Saving is the caller's.

    Args:
        pixels: (H, W, 3) uint8 RGB; not modified.
        rng: gives letters, place, colour, opacity, outline and turn.
        area: share of the picture that the letters cover, roughly; limited by what fits.

    Returns:
        The forgery; the mask holds every pixel that was written on and those beside them.
    """
    height, width = pixels.shape[:2]
    lines, size = _layout(rng, area, (height, width))
    font = load_font(size)
    stroke = int(rng.integers(0, 1 + size // 24))
    cover = _draw_lines(lines, font, stroke, (height, width), rng)
    opacity = float(rng.choice([1.0, rng.uniform(0.55, 1.0)]))
    colour = _draw_colour(rng)
    left, top, right, bottom = _widen(cover.getbbox(), (height, width))
    part = cover.crop((left, top, right, bottom))
    below = pixels[top:bottom, left:right]
    alpha = np.asarray(part, dtype=np.float32) * np.float32(opacity / 255)
    forged, mask = pixels.copy(), np.zeros((height, width), dtype=np.bool_)
    forged[top:bottom, left:right] = mix(below, np.broadcast_to(colour, below.shape), alpha)
    mask[top:bottom, left:right] = np.asarray(part.filter(ImageFilter.MaxFilter(3))) > 0
    facts: dict[str, JsonValue] = {
        "letters": " / ".join(lines),
        "font_size": size,
        "opacity": round(opacity, 2),
    }
    return Forgery(forged, mask, facts=facts)


@lru_cache(maxsize=128)
def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at a height in pixels."""
    return ImageFont.load_default(size=size)


def _layout(rng: np.random.Generator, area: float, shape: tuple[int, int]) -> tuple[list[str], int]:
    """Lines of letters and the font's height in pixels, so that they cover the area and fit the width."""
    count = int(rng.integers(1, 4))
    lines = [_draw_date(rng)] if rng.random() < DATE_SHARE else [_draw_word(rng) for _ in range(count)]
    count, length = len(lines), max(len(line) for line in lines)
    size = np.sqrt(area * shape[0] * shape[1] / (count * length * 0.6 * LINE_SHARE))
    largest = min(0.9 * shape[1] / (length * 0.6), 0.8 * shape[0] / (count * 1.2))
    return lines, int(np.clip(size, 9, max(9, largest)))


def _widen(box: tuple[int, int, int, int] | None, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box (left, top, right, bottom) with a pixel around it, within the picture; all of it for none."""
    if box is None:
        return 0, 0, shape[1], shape[0]
    return max(0, box[0] - 1), max(0, box[1] - 1), min(shape[1], box[2] + 1), min(shape[0], box[3] + 1)


def _draw_word(rng: np.random.Generator) -> str:
    return "".join(LETTERS[number] for number in rng.integers(0, len(LETTERS), int(rng.integers(3, 15))))


def _draw_date(rng: np.random.Generator) -> str:
    """As cameras print it."""
    year, month, day, hour, minute = (int(rng.integers(low, high)) for low, high in DATE_RANGES)
    return f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}"


def _draw_lines(
    lines: list[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    stroke: int,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> Image.Image:
    """The letters' cover, an "L" picture of the photograph's size."""
    text = "\n".join(lines)
    canvas = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(canvas)
    box = draw.multiline_textbbox((0, 0), text, font=font, stroke_width=stroke)
    free = max(1.0, shape[1] - (box[2] - box[0])), max(1.0, shape[0] - (box[3] - box[1]))
    corner = rng.uniform(0, free[0]) - box[0], rng.uniform(0, free[1]) - box[1]
    draw.multiline_text(corner, text, fill=255, font=font, stroke_width=stroke)
    if rng.random() < 0.25:
        canvas = canvas.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BILINEAR)
    return canvas


def _draw_colour(rng: np.random.Generator) -> np.ndarray:
    """White, black, or any colour; (3,) float32."""
    kind = rng.random()
    if kind < 0.6:
        return np.full(3, 255 if kind < 0.35 else 0, dtype=np.float32)
    return rng.integers(0, 256, 3).astype(np.float32)
