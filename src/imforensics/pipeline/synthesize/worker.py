"""What one process of `synthesize` does: make a pair, write its three files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from imforensics.datasets.lists import Split
from imforensics.datasets.synthesis.config import SynthesizeConfig
from imforensics.datasets.synthesis.pairs import draw_pair
from imforensics.datasets.synthesis.pool import PhotoPool
from imforensics.datasets.synthesis.splits import draw_split
from imforensics.errors import OutputExistsError, describe_failure
from imforensics.outputs import write_atomically
from imforensics.types import BoolArray, JsonValue

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
    config: SynthesizeConfig
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
        Its record: index, the three paths relative to the folder, split, host, donor, manipulation, recipe;
        only the reason, under NOT_WRITTEN, where the files cannot be written.

    Raises:
        DatasetError: no visible alteration was found, or a photograph cannot be decoded.
        RuntimeError: `prepare_worker` was not called.
    """
    if _settings is None:
        raise RuntimeError("expected prepare_worker to be called first")
    settings = _settings
    split = draw_split(settings.config.splits, seed=settings.seed, index=index)
    pair = draw_pair(
        settings.pools[split], settings.config, seed=settings.seed, index=index, size=settings.config.size
    )
    name = f"{index:06d}"
    paths = {
        "authentic": f"authentic/{name}{pair.suffix}",
        "tampered": f"tampered/{name}{pair.suffix}",
        "mask": f"masks/{name}.png",
    }
    try:
        write_atomically(settings.folder / paths["authentic"], pair.twin)
        write_atomically(settings.folder / paths["tampered"], pair.tampered)
        write_atomically(settings.folder / paths["mask"], _encode_mask(pair.mask))
    except (OSError, OutputExistsError) as error:
        return {NOT_WRITTEN: describe_failure(error)}
    host = cast("dict[str, JsonValue]", pair.recipe["host"])
    donor = cast("dict[str, JsonValue]", pair.recipe["alteration"]).get("donor")
    return {
        "index": index,
        **paths,
        "split": split,
        "manipulation": pair.recipe["manipulation"],
        "host": host["photo"],
        "donor": donor["photo"] if isinstance(donor, dict) else None,
        "recipe": pair.recipe,
    }


def has_files(folder: Path, record: dict[str, JsonValue]) -> bool:
    """True where the three files of a record exist."""
    return all((folder / str(record.get(key))).is_file() for key in ("authentic", "tampered", "mask"))


def _encode_mask(mask: BoolArray) -> bytes:
    """PNG of one channel: 255 where the picture was tampered with, else 0."""
    buffer = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(buffer, "PNG", optimize=False)
    return buffer.getvalue()
