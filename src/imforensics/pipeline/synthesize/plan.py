"""Write a data set of synthetic forgeries: files, twins, masks, a manifest; it goes on after a stop."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from imforensics.config import dump_config
from imforensics.cores import available_cores
from imforensics.datasets.lists import Split
from imforensics.datasets.publishers.folder import MANIFEST_NAME
from imforensics.datasets.rasters import list_images
from imforensics.datasets.synthesis.config import SynthesizeConfig, SynthesizeNativeConfig
from imforensics.datasets.synthesis.pool import PhotoPool, load_pool
from imforensics.datasets.synthesis.removal import require_fills
from imforensics.datasets.synthesis.splits import split_pool
from imforensics.engines.local import run_in_processes
from imforensics.errors import DatasetError, InterruptedRunError, OutputError
from imforensics.outputs import DATA_SET, OutputFolder, claim_folder, output_kind, write_atomically
from imforensics.pipeline.synthesize.worker import (
    FOLDERS,
    NOT_WRITTEN,
    AnyConfig,
    WorkerSettings,
    find_hosts,
    has_files,
    make_pair,
    prepare_worker,
)
from imforensics.store import LineFile
from imforensics.types import JsonValue

PLAN_FILE = "plan.json"
CONFIG_FILE = "config.yaml"
RECORDS_FILE = "pairs.jsonl"
COLUMNS = (
    "image",
    "label",
    "mask",
    "group",
    "manipulation",
    "split",
    "host",
    "donor",
    "device",
    "area",
    "delivery",
)

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
        output: the folder, claimed for as long as the synthesis lives.
    """

    pool: PhotoPool
    pools: dict[Split, PhotoPool]
    config: AnyConfig
    seed: int
    folder: Path
    todo: tuple[int, ...]
    done: tuple[Record, ...]
    output: OutputFolder

    def run(self, *, workers: int | None = None) -> Iterator[str | None]:
        """Make the pairs, then write the manifest of all that are there.

        Args:
            workers: number of processes; None takes every core.

        Yields:
            For each pair in `todo`: None once its files are written and recorded, else the error in words.

        Raises:
            OutputError: a pair cannot be written; those before it stay.
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
            with closing(LineFile(self.folder / RECORDS_FILE)) as lines:
                for outcome in outcomes:
                    if outcome.result is None:
                        yield f"pair {outcome.item}: {outcome.error or 'no result'}"
                        continue
                    if NOT_WRITTEN in outcome.result:
                        raise OutputError(str(outcome.result[NOT_WRITTEN]))
                    records.append(outcome.result)
                    lines.append(json.dumps(outcome.result, allow_nan=False))
                    yield None
        write_manifest(self.folder, records)


def plan_synthesis(
    photos: Path,
    folder: Path,
    config: AnyConfig,
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
        overwrite: delete the data set that is there, and begin again.

    Raises:
        MissingExtraError: inpainting is asked for and OpenCV is not installed.
        DatasetError: no photographs, or none large enough, or they are in the folder of the data set.
        OutputExistsError: the folder holds something that no synthesis wrote, or that was changed since.
        InterruptedRunError: the folder holds a data set of other photographs, configuration or seed.
    """
    require_fills(inpainting=config.inpainting and config.manipulations.get("removal", 0) > 0)
    if photos.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(
            f"{photos} lies in the output folder {folder}, whose files may be replaced. "
            "Name another output folder"
        )
    pool = open_pool(photos, config, exclude=folder)
    pools = split_pool(
        pool,
        config.splits,
        seed=seed,
        find_hosts=lambda part: find_hosts(part, config),
        by_camera=isinstance(config, SynthesizeNativeConfig),
    )
    plan = _describe_plan(pool, config, seed)
    output = claim_folder(folder, DATA_SET, inputs=[photos])
    with output.kept():
        if overwrite:
            output.clear()
        output.check(may_differ=True)  # a picture of others among ours would be taken for data
        _check_plan(folder, plan)
        write_atomically(folder / PLAN_FILE, json.dumps(plan, indent=2) + "\n")
        write_atomically(folder / CONFIG_FILE, dump_config(config))
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        done = _read_records(folder)
    todo = tuple(index for index in range(count) if index not in done)
    records = tuple(done[index] for index in sorted(done))
    return Synthesis(pool, pools, config, seed, folder, todo, records, output)


def open_pool(photos: Path, config: AnyConfig, *, exclude: Path | None = None) -> PhotoPool:
    """The photographs of a folder and its subfolders, without those in the subfolder `exclude`.

    What imforensics itself wrote below the folder, a data set that was made for example, is left out too.

    Raises:
        DatasetError: there is not a folder, no photograph, or none that holds the configured size.
    """
    if not photos.is_dir():
        raise DatasetError(f"{photos} is not a folder. Name the folder that holds authentic photographs")
    paths = list_images(photos, recursive=True)
    if exclude is not None and exclude.resolve().is_relative_to(photos.resolve()):
        paths = [path for path in paths if not path.resolve().is_relative_to(exclude.resolve())]
    below = {place for path in paths for place in path.parents if place != photos and photos in place.parents}
    made = {place for place in below if output_kind(place) is not None}
    paths = [path for path in paths if made.isdisjoint(path.parents)]
    if not paths:
        raise DatasetError(
            f"{photos} contains no image. Name a folder with photographs (JPEG, PNG, TIFF, ...)"
        )
    max_side = config.max_side if isinstance(config, SynthesizeConfig) else None
    pool = load_pool(paths, root=photos, max_side=max_side, cache_bytes=config.cache_mb << 20)
    find_hosts(pool, config)
    return pool


def write_manifest(folder: Path, records: Sequence[Record]) -> None:
    """Write manifest.csv, which the data set `folder` reads: two rows a pair and copy, in the order of pairs.

    The group of both is the host's photograph: siblings stay together. Their `host` is the pair's own name,
    which `find_twins` pairs them by.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in sorted(records, key=lambda record: int(str(record["index"]))):
        copies = record.get("copies")
        for pair in (record, *(copies if isinstance(copies, list) else [])):
            writer.writerows(_list_rows(record, cast("Record", pair)))
    write_atomically(folder / MANIFEST_NAME, buffer.getvalue())


def _list_rows(record: Record, pair: Record) -> list[Record]:
    """The two rows of a pair, or of a copy of it as it was delivered."""
    shared: Record = {
        "group": record["host"],
        "split": record["split"],
        "host": Path(str(pair["authentic"])).stem,
        "device": record.get("device", ""),
        "delivery": pair.get("delivery", ""),
    }
    forged: Record = {
        "mask": pair["mask"],
        "manipulation": record["manipulation"],
        "donor": record["donor"] or "",
        "area": pair.get("area", ""),
    }
    return [
        {"image": pair["authentic"], "label": "authentic", **shared},
        {"image": pair["tampered"], "label": "tampered", **shared, **forged},
    ]


def _describe_plan(pool: PhotoPool, config: AnyConfig, seed: int) -> dict[str, JsonValue]:
    """What a pair depends on; the cache and the time limit are no part of it."""
    digest = hashlib.sha256()
    for photo in pool.photos:
        size = photo.path.stat().st_size
        digest.update(f"{photo.name}\0{size}\0{photo.height}x{photo.width}\n".encode())
    settings: dict[str, JsonValue] = config.model_dump(mode="json", exclude={"cache_mb", "timeout_seconds"})
    return {"seed": seed, "photos": len(pool), "photos_digest": digest.hexdigest(), "config": settings}


def _check_plan(folder: Path, plan: dict[str, JsonValue]) -> None:
    if not (folder / PLAN_FILE).is_file():
        return
    before = _read_plan(folder / PLAN_FILE)
    if before != plan:
        changed = sorted(key for key in plan if before.get(key) != plan[key])
        raise InterruptedRunError(
            f"{folder} holds a data set made otherwise (other {', '.join(changed)}). "
            "Name another folder, or --overwrite"
        )


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
    LineFile(path).rewrite(json.dumps(found[index], allow_nan=False) for index in sorted(found))
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
