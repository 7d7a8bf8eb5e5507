"""What one process of `synthesize` does: make a pair, write its three files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from imforensics.datasets.lists import Split
from imforensics.datasets.synthesis.config import SynthesizeConfig, SynthesizeNativeConfig
from imforensics.datasets.synthesis.draws import draw_flag
from imforensics.datasets.synthesis.native import deliver_pair, draw_native_pair, find_native_hosts
from imforensics.datasets.synthesis.pairs import ForgedPair, draw_pair
from imforensics.datasets.synthesis.pool import PhotoPool
from imforensics.datasets.synthesis.splits import draw_split
from imforensics.errors import OutputExistsError, describe_failure
from imforensics.outputs import write_atomically
from imforensics.preprocessing.deliveries import draw_delivery
from imforensics.types import BoolArray, JsonValue

AnyConfig = SynthesizeConfig | SynthesizeNativeConfig
COPY_STREAM = 3  # keeps the draws of copies apart from those of the pair
FOLDERS = ("authentic", "tampered", "masks")
NOT_WRITTEN = "not_written"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What every pair of a data set shares.

    Attributes:
        pools: the photographs of each split; each process decodes its own.
        config: what is drawn from.
        seed: of the set.
        folder: of the data set, with its three subfolders.
    """

    pools: dict[Split, PhotoPool]
    config: AnyConfig
    seed: int
    folder: Path


_settings: WorkerSettings | None = None


def prepare_worker(settings: WorkerSettings) -> None:
    """Keep the settings of this process."""
    global _settings  # noqa: PLW0603 - a process of a pool has no other place
    _settings = settings


def make_pair(index: int) -> dict[str, JsonValue]:
    """Make one pair and write it.

    Returns:
        Its record: index, the three paths relative to the folder, area, delivery, split, host, device, donor,
        manipulation, recipe, copies (each with paths, area and delivery of its own); only the reason, under
        NOT_WRITTEN, where the files cannot be written.

    Raises:
        DatasetError: no visible alteration was found, or a photograph cannot be decoded.
        RuntimeError: `prepare_worker` was not called.
    """
    if _settings is None:
        raise RuntimeError("expected prepare_worker to be called first")
    settings = _settings
    config, seed = settings.config, settings.seed
    split = draw_split(config.splits, seed=seed, index=index)
    pool = settings.pools[split]
    if isinstance(config, SynthesizeNativeConfig):
        pair = draw_native_pair(pool, config, seed=seed, index=index)
    else:
        pair = draw_pair(pool, config, seed=seed, index=index, size=config.size)
    try:
        written = _write(settings.folder, f"{index:06d}", pair)
        copies: list[JsonValue] = []
        rng = np.random.default_rng((seed, index, COPY_STREAM))
        for name, share in config.copies.items():
            delivery = draw_delivery(rng, {name: 1}, scales=config.copy_scales)
            if draw_flag(rng, share):
                delivered = deliver_pair(pair, delivery)
                copies.append(_write(settings.folder, f"{index:06d}_{name}", delivered))
    except (OSError, OutputExistsError) as error:
        return {NOT_WRITTEN: describe_failure(error)}
    host = cast("dict[str, JsonValue]", pair.recipe["host"])
    donor = cast("dict[str, JsonValue]", pair.recipe["alteration"]).get("donor")
    return {
        "index": index,
        **written,
        "split": split,
        "manipulation": pair.recipe["manipulation"],
        "host": host["photo"],
        "device": next(photo.device for photo in pool.photos if photo.name == host["photo"]),
        "donor": donor["photo"] if isinstance(donor, dict) else None,
        "recipe": pair.recipe,
        "copies": copies,
    }


def find_hosts(pool: PhotoPool, config: AnyConfig) -> tuple[int, ...]:
    """Numbers of the photographs that can be hosts.

    Raises:
        DatasetError: there is none.
    """
    if isinstance(config, SynthesizeNativeConfig):
        return find_native_hosts(pool, config)
    return pool.find_hosts(config.size)


def has_files(folder: Path, record: dict[str, JsonValue]) -> bool:
    """True where all files of a record exist."""
    copies = record.get("copies")
    records = [record, *(copies if isinstance(copies, list) else [])]
    return all(
        isinstance(part, dict) and (folder / str(part.get(key))).is_file()
        for part in records
        for key in ("authentic", "tampered", "mask")
    )


def _write(folder: Path, name: str, pair: ForgedPair) -> dict[str, JsonValue]:
    """Write the three files of a pair; their paths relative to the folder, area, and delivery."""
    paths = {
        "authentic": f"authentic/{name}{pair.suffix}",
        "tampered": f"tampered/{name}{pair.suffix}",
        "mask": f"masks/{name}.png",
    }
    write_atomically(folder / paths["authentic"], pair.twin)
    write_atomically(folder / paths["tampered"], pair.tampered)
    write_atomically(folder / paths["mask"], _encode_mask(pair.mask))
    delivery = pair.recipe.get("delivery")
    return {
        **paths,
        "area": round(float(pair.mask.mean()), 6),
        "delivery": delivery["name"] if isinstance(delivery, dict) else "as_saved",
        "steps": delivery["steps"] if isinstance(delivery, dict) else "as saved",
    }


def _encode_mask(mask: BoolArray) -> bytes:
    """PNG of one channel: 255 where the picture was tampered with, else 0."""
    buffer = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
