"""Write a data set of synthetic forgeries: files, twins, masks, a manifest; it goes on after a stop."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imforensics.config import dump_config
from imforensics.cores import available_cores
from imforensics.datasets.folder import MANIFEST_NAME
from imforensics.datasets.lists import Split
from imforensics.datasets.rasters import list_images
from imforensics.datasets.synthesis.config import SynthesizeConfig
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.datasets.synthesis.removal import require_fills
from imforensics.datasets.synthesis.splits import split_pool
from imforensics.engines.local import run_in_processes
from imforensics.errors import DatasetError, InterruptedRunError, OutputExistsError
from imforensics.models.run_folder import PARTIAL, write_atomically
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
PAIR_FILE = re.compile(r"\d{6,}\.(jpg|png)")  # as `make_pair` names them
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
        overwrite: delete the files that the data set's records name; others are left.

    Raises:
        MissingExtraError: inpainting is asked for and OpenCV is not installed.
        DatasetError: no photographs, or none large enough, or they are in the folder of the data set.
        OutputExistsError: the folder holds something that no synthesis wrote.
        InterruptedRunError: the folder holds a data set of other photographs, configuration or seed.
    """
    require_fills(inpainting=config.inpainting and config.manipulations.get("removal", 0) > 0)
    if photos.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(
            f"{photos} lies in the output folder {folder}, whose files may be replaced. "
            "Name another output folder"
        )
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
        DatasetError: there is not a folder, no photograph, or none that holds the configured size.
    """
    if not photos.is_dir():
        raise DatasetError(f"{photos} is not a folder. Name the folder that holds authentic photographs")
    paths = list_images(photos, recursive=True)
    if exclude is not None and exclude.resolve().is_relative_to(photos.resolve()):
        paths = [path for path in paths if not path.resolve().is_relative_to(exclude.resolve())]
    if not paths:
        raise DatasetError(
            f"{photos} contains no image. Name a folder with photographs (JPEG, PNG, TIFF, ...)"
        )
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
    present = folder.is_dir() and any(folder.iterdir())
    if present and not (folder / PLAN_FILE).is_file():
        raise OutputExistsError(
            f"{folder} is not empty and has no {PLAN_FILE}: no synthesis wrote it; name another folder"
        )
    foreign = min(_list_foreign(folder), default=None) if present else None
    if foreign is not None:
        raise OutputExistsError(f"{folder} holds {foreign}, which no synthesis wrote; name another folder")
    if present and not overwrite:
        before = _read_plan(folder / PLAN_FILE)
        if before != plan:
            changed = sorted(key for key in plan if before.get(key) != plan[key])
            raise InterruptedRunError(
                f"{folder} holds a data set made otherwise (other {', '.join(changed)}). "
                "Name another folder, or --overwrite"
            )
    elif overwrite:
        _delete_recorded(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _list_foreign(folder: Path) -> Iterator[str]:
    """Names, relative to the folder, of what no synthesis writes there."""
    for path in folder.iterdir():
        if path.name in FOLDERS and path.is_dir():
            yield from (
                f"{path.name}/{inner.name}"
                for inner in path.iterdir()
                if not PAIR_FILE.fullmatch(inner.name) and not inner.name.endswith(PARTIAL)
            )
        elif path.name not in OWN_NAMES and not path.name.endswith(PARTIAL):
            yield path.name


def _delete_recorded(folder: Path) -> None:
    """Delete the files of the recorded pairs, then the records; a file that nothing names is left."""
    for record in _iterate_records(folder / RECORDS_FILE):
        for key in ("authentic", "tampered", "mask"):
            place = Path(str(record.get(key)))
            if len(place.parts) == 2 and place.parts[0] in FOLDERS and PAIR_FILE.fullmatch(place.name):
                (folder / place).unlink(missing_ok=True)
    for name in (MANIFEST_NAME, CONFIG_FILE, RECORDS_FILE, PLAN_FILE):
        (folder / name).unlink(missing_ok=True)


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
    records = (record for record in _iterate_records(path) if has_files(folder, record))
    found = {int(str(record["index"])): record for record in records}
    lines = (json.dumps(found[index], allow_nan=False) + "\n" for index in sorted(found))
    write_atomically(path, "".join(lines))
    return found


def _iterate_records(path: Path) -> Iterator[Record]:
    """The records of a file, none where there is no file; a line that a kill cut off is left out."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record
