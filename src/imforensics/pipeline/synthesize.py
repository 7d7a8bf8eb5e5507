"""Write a data set of made forgeries: files, twins, masks, a manifest; it goes on after a stop."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imforensics.config import dump_config
from imforensics.datasets.folder import MANIFEST_NAME
from imforensics.datasets.lists import Split
from imforensics.datasets.rasters import list_images
from imforensics.datasets.synthesis.config import SynthesizeConfig
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.datasets.synthesis.splits import split_pool
from imforensics.engines.local import available_cores, run_in_processes
from imforensics.errors import DatasetError, InterruptedRunError, OutputExistsError
from imforensics.models.run_folder import write_atomically
from imforensics.pipeline.synthesize_worker import (
    FOLDERS,
    WorkerSettings,
    has_files,
    make_pair,
    prepare_worker,
)
from imforensics.types import JsonValue

PLAN_FILE = "plan.json"
CONFIG_FILE = "config.yaml"
RECORDS_FILE = "pairs.jsonl"
COLUMNS = ("image", "label", "mask", "group", "manipulation", "split", "host", "donor")
OWN_NAMES = {PLAN_FILE, CONFIG_FILE, RECORDS_FILE, MANIFEST_NAME, *FOLDERS}

Record = dict[str, JsonValue]


@dataclass(frozen=True)
class Synthesis:
    """One data set, planned: what is to make, and what an earlier run has made.

    Attributes:
        pool: all photographs.
        pools: those of each split.
        config: what is drawn from.
        seed: of the set.
        folder: where it goes.
        todo: indices of the pairs to make.
        done: records of pairs that are there.
    """

    pool: PhotoPool
    pools: dict[Split, PhotoPool]
    config: SynthesizeConfig
    seed: int
    folder: Path
    todo: tuple[int, ...]
    done: tuple[Record, ...]

    def run(self, *, workers: int | None = None) -> Iterator[str | None]:
        """Make the pairs, then write the manifest of all that are there.

        Args:
            workers: number of processes; None takes every core.

        Yields:
            For each pair in `todo`: None once its files are written and recorded, else the error in words.
        """
        records = list(self.done)
        if self.todo:
            outcomes = run_in_processes(
                make_pair,
                self.todo,
                workers=min(workers or available_cores(), len(self.todo)),
                timeout_seconds=self.config.timeout_seconds,
                initializer=prepare_worker,
                initializer_arguments=(WorkerSettings(self.pools, self.config, self.seed, self.folder),),
            )
            with (self.folder / RECORDS_FILE).open("a", encoding="utf-8") as lines:
                for outcome in outcomes:
                    if outcome.result is None:
                        yield f"pair {outcome.item}: {outcome.error or 'no result'}"
                        continue
                    records.append(outcome.result)
                    lines.write(json.dumps(outcome.result, allow_nan=False) + "\n")
                    lines.flush()
                    yield None
        write_manifest(self.folder, records)


def plan_synthesis(
    photos: Path,
    folder: Path,
    config: SynthesizeConfig,
    *,
    count: int,
    seed: int,
    overwrite: bool = False,
) -> Synthesis:
    """Find out which pairs have to be made.

    The same photographs, configuration and seed in the same folder go on where an earlier run stopped; a
    larger count adds pairs.

    Args:
        photos: folder of authentic photographs, searched with its subfolders.
        folder: where the data set goes, made where it does not exist.
        config: what is drawn from.
        count: number of pairs wanted in all.
        seed: of the set.
        overwrite: delete the data set that is there.

    Raises:
        DatasetError: no photographs, or none large enough.
        OutputExistsError: the folder holds something that no synthesis wrote.
        InterruptedRunError: the folder holds a data set of other photographs, configuration or seed.
    """
    pool = open_pool(photos, config, exclude=folder)
    pools = split_pool(pool, config.splits, seed=seed, size=config.size)
    plan = _describe_plan(pool, config, seed)
    _claim_folder(folder, plan, overwrite=overwrite)
    write_atomically(folder / PLAN_FILE, json.dumps(plan, indent=2) + "\n")
    write_atomically(folder / CONFIG_FILE, dump_config(config))
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    done = _read_records(folder)
    todo = tuple(index for index in range(count) if index not in done)
    return Synthesis(pool, pools, config, seed, folder, todo, tuple(done[index] for index in sorted(done)))


def open_pool(photos: Path, config: SynthesizeConfig, *, exclude: Path | None = None) -> PhotoPool:
    """The photographs of a folder and its subfolders, without those in the subfolder `exclude`.

    Raises:
        DatasetError: there is no folder, no photograph, or none that holds the configured size.
    """
    if not photos.is_dir():
        raise DatasetError(f"{photos} is no folder. Name the folder that holds authentic photographs")
    paths = list_images(photos, recursive=True)
    if exclude is not None and exclude.resolve().is_relative_to(photos.resolve()):
        paths = [path for path in paths if not path.resolve().is_relative_to(exclude.resolve())]
    if not paths:
        raise DatasetError(f"{photos} holds no image. Name a folder with photographs (JPEG, PNG, TIFF, ...)")
    pool = load_pool(paths, root=photos, max_side=config.max_side, cache_bytes=config.cache_mb << 20)
    pool.find_hosts(config.size)
    return pool


def write_manifest(folder: Path, records: Sequence[Record]) -> None:
    """Write manifest.csv, which the data set `folder` reads: two rows a pair, in the order of the pairs.

    The group of both is the host's photograph: siblings stay together. Their `host` is the pair's own number,
    which `find_twins` pairs them by.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in sorted(records, key=lambda record: int(str(record["index"]))):
        shared = {
            "group": record["host"],
            "split": record["split"],
            "host": Path(str(record["authentic"])).stem,
        }
        writer.writerow({"image": record["authentic"], "label": "authentic", **shared})
        writer.writerow(
            {
                "image": record["tampered"],
                "label": "tampered",
                "mask": record["mask"],
                "manipulation": record["manipulation"],
                "donor": record["donor"] or "",
                **shared,
            }
        )
    write_atomically(folder / MANIFEST_NAME, buffer.getvalue())


def _describe_plan(pool: PhotoPool, config: SynthesizeConfig, seed: int) -> dict[str, JsonValue]:
    """What a pair depends on; the cache and the time limit are no part of it."""
    digest = hashlib.sha256()
    for photo in pool.photos:
        size = photo.path.stat().st_size
        digest.update(f"{photo.name}\0{size}\0{photo.height}x{photo.width}\n".encode())
    settings: dict[str, JsonValue] = config.model_dump(mode="json", exclude={"cache_mb", "timeout_seconds"})
    return {"seed": seed, "photos": len(pool), "photos_digest": digest.hexdigest(), "config": settings}


def _claim_folder(folder: Path, plan: dict[str, JsonValue], *, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{folder} is a file; name a folder for the data set")
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(name for name in present - OWN_NAMES if not name.endswith(".partial"))
    if foreign:
        raise OutputExistsError(f"{folder} holds {foreign[0]}, which no synthesis wrote; name another folder")
    if present and not (folder / PLAN_FILE).is_file():
        raise OutputExistsError(
            f"{folder} is not empty and has no {PLAN_FILE}: no synthesis wrote it; name another folder"
        )
    if present and not overwrite:
        before = _read_plan(folder / PLAN_FILE)
        if before != plan:
            changed = sorted(key for key in plan if before.get(key) != plan[key])
            raise InterruptedRunError(
                f"{folder} holds a data set made otherwise (other {', '.join(changed)}). "
                "Name another folder, or --overwrite"
            )
    elif overwrite:
        for name in present:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    folder.mkdir(parents=True, exist_ok=True)


def _read_plan(path: Path) -> dict[str, JsonValue]:
    try:
        plan: dict[str, JsonValue] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return plan


def _read_records(folder: Path) -> dict[int, Record]:
    """Index to record of the pairs whose files are there; a line that a kill cut off is dropped."""
    path = folder / RECORDS_FILE
    if not path.is_file():
        return {}
    found: dict[int, Record] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if has_files(folder, record):
            found[int(record["index"])] = record
    lines = (json.dumps(found[index], allow_nan=False) + "\n" for index in sorted(found))
    write_atomically(path, "".join(lines))
    return found
