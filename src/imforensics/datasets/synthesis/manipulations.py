"""Which alteration a host gets: kind, area, shape, place and edge are drawn here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from imforensics.datasets.synthesis.copy_move import forge_copy_move
from imforensics.datasets.synthesis.draws import draw_flag, draw_log_uniform, pick
from imforensics.datasets.synthesis.hosts import draw_picture
from imforensics.datasets.synthesis.removal import FILLS, MAX_INPAINTED, REMOVAL_KINDS, forge_removal
from imforensics.datasets.synthesis.resynthesis import resynthesise
from imforensics.datasets.synthesis.retouch import RETOUCH_KINDS, forge_retouch
from imforensics.datasets.synthesis.segments import grow_segment
from imforensics.datasets.synthesis.shapes import draw_shape
from imforensics.datasets.synthesis.splice import forge_splice
from imforensics.datasets.synthesis.text import forge_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imforensics.datasets.synthesis.config import AlterationConfig
    from imforensics.datasets.synthesis.forgery import Forgery
    from imforensics.datasets.synthesis.pool import PhotoPool
    from imforensics.types import BoolArray, JsonValue, Manipulation, UInt8Array

SEGMENT_SHARE = 0.5  # of splices that follow the donor's own outlines
CUT_SHARE = 0.2  # of splices that may reach over the picture's border
MARGIN = 6  # pixels of donor around the shape, for turning and scaling
FRAME = 3  # pixels: bicubic interpolation reads two beyond
LARGEST_COPY = 0.12  # of the picture: two of them must fit
LARGEST_FILL = 0.15
LARGEST_TEXT = 0.08
QUARTERS = (90, 180, 270)
PLACES = 6  # compared for a removal: something stands at the one with most detail


def draw_forgery(
    kind: Manipulation,
    host: UInt8Array,
    pool: PhotoPool,
    number: int,
    rng: np.random.Generator,
    *,
    config: AlterationConfig,
    area: float | None = None,
    donors: Sequence[int] | None = None,
) -> Forgery | None:
    """Alter a host.

    Args:
        kind: of the manipulation.
        host: (H, W, 3) uint8 RGB; not modified.
        pool: where donors are from.
        number: of the host's own photograph, which is no donor while there is another one.
        rng: source of randomness.
        config: what is drawn from.
        area: wanted, as share of the host; None draws it.
        donors: numbers of the photographs that may be donors; None allows all.

    Returns:
        The forgery; None where this host offers no place for it.
    """
    if area is None:
        area = draw_log_uniform(rng, *config.area)
    if kind == "splicing":
        donor = _draw_donor(pool, number, range(len(pool)) if donors is None else donors, rng, config)
        return _splice(host, pool, donor, area, rng, config)
    if kind == "copy_move":
        return _copy(host, min(area, LARGEST_COPY), rng, config)
    if kind == "removal":
        return _remove(host, min(area, LARGEST_FILL), rng, config)
    if kind == "retouch":
        return _retouch(host, area, rng, config)
    return forge_text(host, rng, area=min(area, LARGEST_TEXT))


def _draw_donor(
    pool: PhotoPool, number: int, donors: Sequence[int], rng: np.random.Generator, config: AlterationConfig
) -> int:
    """Another photograph than the host's, where there is one; of the same camera in some cases."""
    others = [donor for donor in donors if donor != number]
    if draw_flag(rng, config.same_camera):
        device = pool.photos[number].device
        others = [donor for donor in others if device and pool.photos[donor].device == device] or others
    return others[int(rng.integers(len(others)))] if others else number


def _splice(
    host: UInt8Array,
    pool: PhotoPool,
    donor: int,
    area: float,
    rng: np.random.Generator,
    config: AlterationConfig,
) -> Forgery | None:
    scale = draw_log_uniform(rng, 0.5, 2.0) if draw_flag(rng, config.scaled) else 1.0
    turn = float(rng.uniform(-45, 45)) if draw_flag(rng, config.turned) else 0.0
    found = _draw_part(host, pool, donor, area / scale**2, rng, config)
    if found is None:
        return None
    part, shape, facts = found
    part, shape = _transform(part, shape, scale, turn)
    if not shape.any():
        return None
    if draw_flag(rng, config.regenerated):
        part, factor = resynthesise(part, rng)
        facts["regenerated"] = round(factor, 2)
    edge = pick(rng, config.edges)
    forgery = forge_splice(
        host,
        part,
        shape,
        place=_draw_place(host, shape, rng, overlap=0.35 if draw_flag(rng, CUT_SHARE) else 0.0),
        edge=edge,
        feather=float(rng.uniform(*config.feather)) if edge == "feathered" else 0.0,
        match=float(rng.uniform(0.3, 1))
        if edge != "blended" and draw_flag(rng, config.colour_match)
        else 0.0,
    )
    facts |= {"scale": round(scale, 3), "turn": round(turn, 1)}
    return replace(forgery, facts={**forgery.facts, **facts})


def _draw_part(
    host: UInt8Array,
    pool: PhotoPool,
    number: int,
    area: float,
    rng: np.random.Generator,
    config: AlterationConfig,
) -> tuple[UInt8Array, BoolArray, dict[str, JsonValue]] | None:
    """A part of a donor with some margin, its shape in it, and what it is."""
    photo = pool.photos[number]
    wanted = area * host.shape[0] * host.shape[1]
    limit = min(photo.height, photo.width)  # it may be turned by a quarter
    if draw_flag(rng, SEGMENT_SHARE):
        side = int(min(limit, max(40, 2.6 * np.sqrt(wanted))))
        donor = _open_donor(pool, number, (side, side), rng, config)
        segment = grow_segment(donor[0], min(wanted, 0.3 * side * side), rng)
        if segment is None:
            return None
        rows, columns = np.flatnonzero(segment.any(axis=1)), np.flatnonzero(segment.any(axis=0))
        top, left = max(0, int(rows[0]) - MARGIN), max(0, int(columns[0]) - MARGIN)
        window = slice(top, int(rows[-1]) + MARGIN), slice(left, int(columns[-1]) + MARGIN)
        return donor[0][window], segment[window], {"shape": "segment", "donor": donor[1]}
    inner = limit - 2 * MARGIN
    shape, kind = draw_shape(wanted, rng, limits=(inner, inner))
    shape = np.pad(shape, MARGIN)
    pixels, facts = _open_donor(pool, number, (shape.shape[0], shape.shape[1]), rng, config)
    return pixels, shape, {"shape": kind, "donor": facts}


def _open_donor(
    pool: PhotoPool, number: int, size: tuple[int, int], rng: np.random.Generator, config: AlterationConfig
) -> tuple[UInt8Array, dict[str, JsonValue]]:
    """A part of a donor's picture, on a grid of any origin."""
    donor = draw_picture(pool, number, size, rng, config=config, save=config.donor_save, off_grid=0.9)
    return donor.pixels, donor.facts


def _transform(part: UInt8Array, shape: BoolArray, scale: float, turn: float) -> tuple[UInt8Array, BoolArray]:
    """Part and shape, scaled and turned."""
    if scale == 1 and turn == 0:
        return part, shape
    part = np.pad(part, ((FRAME, FRAME), (FRAME, FRAME), (0, 0)), mode="edge")  # nothing black is read
    image, cover = Image.fromarray(part), Image.fromarray(np.pad(shape, FRAME).astype(np.uint8) * 255)
    if scale != 1:
        size = max(4, round(image.width * scale)), max(4, round(image.height * scale))
        image, cover = image.resize(size, Image.Resampling.BICUBIC), cover.resize(size)
    if turn:
        image = image.rotate(turn, Image.Resampling.BICUBIC, expand=True)
        cover = cover.rotate(turn, Image.Resampling.BILINEAR, expand=True)
    return np.asarray(image), np.asarray(np.asarray(cover) >= 128)


def _draw_place(
    host: UInt8Array, shape: BoolArray, rng: np.random.Generator, *, overlap: float = 0.0
) -> tuple[int, int]:
    """Row and column for a shape; `overlap` is the share of its sides that may lie outside."""
    places = []
    for side, limit in zip(shape.shape, host.shape[:2], strict=True):
        over = max(int(overlap * side), side - limit)
        places.append(int(rng.integers(-over, max(limit - side + over, -over) + 1)))
    return places[0], places[1]


def _copy(
    host: UInt8Array, area: float, rng: np.random.Generator, config: AlterationConfig
) -> Forgery | None:
    rotation = 0.0
    if draw_flag(rng, config.turned):
        rotation = float(rng.choice(QUARTERS)) if draw_flag(rng, 0.2) else float(rng.uniform(-45, 45))
    scale = draw_log_uniform(rng, 0.6, 1.6) if draw_flag(rng, config.scaled) else 1.0
    edge = pick(rng, config.edges)
    feather = 0.0 if edge == "hard" else float(rng.uniform(*config.feather))
    wanted = area * host.shape[0] * host.shape[1] / max(scale, 1) ** 2
    shape, kind = draw_shape(wanted, rng, limits=(host.shape[0] // 2, host.shape[1] // 2))
    try:
        forgery = forge_copy_move(
            host, rng, rotation=rotation, scale=scale, shape=shape, feather=feather, attempts=12
        )
    except ValueError:  # no two places for a copy of that shape: another host
        return None
    facts: dict[str, JsonValue] = {
        "shape": kind,
        "turn": round(rotation, 1),
        "scale": round(scale, 3),
        "feather": round(feather, 2),
    }
    return replace(forgery, facts=facts)


def _remove(
    host: UInt8Array, area: float, rng: np.random.Generator, config: AlterationConfig
) -> Forgery | None:
    wanted = area * host.shape[0] * host.shape[1]
    kinds = REMOVAL_KINDS if config.inpainting and wanted <= MAX_INPAINTED else FILLS
    is_regenerated = draw_flag(rng, config.regenerated)
    kind = "regenerated" if is_regenerated else kinds[int(rng.integers(len(kinds)))]
    shape, outline = draw_shape(wanted, rng, limits=(host.shape[0] // 2, host.shape[1] // 2))
    detail = np.abs(np.diff(host[..., 1].astype(np.int16), axis=1))
    places = [_draw_place(host, shape, rng) for _ in range(PLACES)]
    height, width = shape.shape
    place = max(places, key=lambda p: float(detail[p[0] : p[0] + height, p[1] : p[1] + width].mean()))
    try:
        forgery = forge_removal(host, shape, rng, place=place, kind=kind)
    except ValueError:  # no second region of that shape: another host
        return None
    return replace(forgery, facts={**forgery.facts, "shape": outline})


def _retouch(host: UInt8Array, area: float, rng: np.random.Generator, config: AlterationConfig) -> Forgery:
    wanted = area * host.shape[0] * host.shape[1]
    shape, outline = draw_shape(wanted, rng, limits=(host.shape[0], host.shape[1]))
    kind = RETOUCH_KINDS[int(rng.integers(len(RETOUCH_KINDS)))]
    edge = pick(rng, config.edges)
    feather = 0.0 if edge == "hard" else float(rng.uniform(*config.feather))
    place = _draw_place(host, shape, rng)
    forgery = forge_retouch(host, shape, rng, place=place, kind=kind, feather=feather)
    return replace(forgery, facts={**forgery.facts, "shape": outline})
