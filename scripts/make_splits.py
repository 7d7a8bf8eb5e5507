"""Make the committed split and twin lists of src/imforensics/datasets/splits/.

Needs the folders CASIA1, CASIA2, photos, photos_packages and photos_web below $IMFORENSICS_DATA. The lists
hold names only. The list of `originals` is that of scripts/originals.csv: no file is looked at.

    IMFORENSICS_DATA=/data python scripts/make_splits.py            # splits
    IMFORENSICS_DATA=/data python scripts/make_splits.py --twins    # splits and twins (about 30 s more)
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from imforensics.datasets.base import Dataset, load_dataset
from imforensics.datasets.grouping import assign_splits, connect
from imforensics.datasets.lists import Split, file_key, read_split_list
from imforensics.datasets.rasters import hash_file
from imforensics.datasets.twins import find_twins
from imforensics.types import Sample
from photograph_lists import read_list

SPLITS_FOLDER = Path(__file__).parents[1] / "src" / "imforensics" / "datasets" / "splits"
ORIGINALS = Path(__file__).with_name("originals.csv")
SEED = 20240917
PINNED_SIZE = 10
CASIA_SHARES: dict[Split, float] = {"train": 0.70, "val": 0.15, "test": 0.15}
SETS = {  # those of one line are split together
    "casia": ("casia1", "casia2"),
    "photos": ("photos",),
    "photos_packages": ("photos_packages", "photos_edited"),
    "photos_web": ("photos_web",),
}
PHOTO_SHARES: dict[Split, float] = {"train": 0.30, "val": 0.35, "test": 0.35}


def main() -> None:
    """Write the lists and print their counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=SPLITS_FOLDER, help="folder for the lists")
    parser.add_argument("--twins", action="store_true", help="search the twins too")
    sets = [*SETS, "originals"]
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets, help="all of them unless told")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.sets:
        if name == "originals":
            write_originals(options.output)
            continue
        datasets = [load_dataset(each) for each in SETS[name]]
        shares = CASIA_SHARES if name == "casia" else PHOTO_SHARES
        split_together(datasets, shares=shares, output=options.output)
        if name == "casia" and options.twins:
            for dataset in datasets:
                write_twins(dataset, output=options.output)


def split_together(datasets: Sequence[Dataset], *, shares: dict[Split, float], output: Path) -> None:
    """Split several sets at once: images linked by source id or equal bytes stay together in all of them."""
    samples = [(dataset, sample) for dataset in datasets for sample in dataset.samples]
    components = connect(link_samples(samples))
    groups = {sample.image_path: components[f"file {sample.image_path}"] for _, sample in samples}
    strata: dict[str, list[tuple[str, int, str | None]]] = defaultdict(list)
    for dataset, sample in samples:
        strata[groups[sample.image_path]].append(stratum_of(dataset, sample))
    pinned = pin_collections(samples, groups) | pin_cameras(samples, groups)
    splits = assign_splits(strata, shares=shares, seed=SEED, pinned=pinned)
    names = {group: f"g{number:04d}" for number, group in enumerate(sorted(strata), start=1)}
    for dataset in datasets:
        rows = [
            (
                s.image_path.relative_to(dataset.root).as_posix(),
                splits[groups[s.image_path]],
                names[groups[s.image_path]],
            )
            for s in dataset.samples
        ]
        write_rows(output / f"{dataset.name}.csv", ("file", "split", "group"), rows)
        report_counts(dataset, {row[0]: row[1] for row in rows})
    sizes = [count for _, count in Counter(groups.values()).most_common()]
    print(f"{'+'.join(d.name for d in datasets)}: {len(sizes)} groups, largest {sizes[:5]}")


def write_originals(output: Path) -> None:
    """Write the list of `originals`, split as in scripts/originals.csv and grouped by device."""
    photographs = [each for found in read_list(ORIGINALS).values() for each in found]
    rows = sorted((each.file, each.split, each.camera) for each in photographs)
    write_rows(output / "originals.csv", ("file", "split", "group"), rows)
    print(f"originals: {len({each.camera for each in photographs})} devices")
    for split, count in Counter(each.split for each in photographs).items():
        print(f"  {split}: {count}")


def pin_collections(
    samples: Iterable[tuple[Dataset, Sample]], groups: Mapping[Path, str]
) -> dict[str, Split]:
    """Larger collections of photographs that name no camera go to train: no maker stands in two splits."""
    chosen = [groups[s.image_path] for _, s in samples if s.group.startswith("collection ")]
    return {group: "train" for group, count in Counter(chosen).items() if count >= PINNED_SIZE}


def pin_cameras(samples: Iterable[tuple[Dataset, Sample]], groups: Mapping[Path, str]) -> dict[str, Split]:
    """Cameras of a further set that `photos` knows keep the split they have there."""
    further = {s.image_path: s.group for dataset, s in samples if dataset.name in SETS["photos_packages"]}
    if not further:
        return {}
    photos, listed = load_dataset("photos"), read_split_list("photos")
    known = {sample.group: listed[file_key(sample.image_path.name)] for sample in photos.samples}
    return {
        groups[path]: known[group]
        for path, group in further.items()
        if group.startswith("camera ") and group in known
    }


def link_samples(samples: Iterable[tuple[Dataset, Sample]]) -> list[tuple[str, ...]]:
    """One link per image: its path, its bytes, its group, and the ids it names."""
    links = []
    for dataset, sample in samples:
        family = next(name for name, together in SETS.items() if dataset.name in together)
        ids = [f"id {family} {i}" for i in (sample.host, sample.donor) if i is not None]
        group = () if ids else (f"group {family} {sample.group}",)
        links.append((f"file {sample.image_path}", f"bytes {hash_file(sample.image_path)}", *group, *ids))
    return links


def stratum_of(dataset: Dataset, sample: Sample) -> tuple[str, int, str | None]:
    """Set, class and manipulation; for photographs the collection that the name begins with."""
    if dataset.name.startswith("photos"):
        return (dataset.name, 0, sample.image_path.stem.rpartition("_")[0])
    return (dataset.name, sample.label, sample.manipulation)


def write_twins(dataset: Dataset, *, output: Path) -> None:
    """Search and write the twins of one set, and print what was dropped and why."""
    search = find_twins(dataset)
    rows = [
        (
            twin.tampered.image_path.relative_to(dataset.root).as_posix(),
            twin.host_path.relative_to(dataset.root).as_posix(),
            f"{twin.share_unchanged:.4f}",
        )
        for twin in search.pairs
    ]
    write_rows(output / f"{dataset.name}_twins.csv", ("tampered", "host", "share_unchanged"), rows)
    print(f"{dataset.name}: {len(search.pairs)} twins, {len(search.dropped)} without")
    for pair in search.dropped:
        print(f"  {pair.tampered.image_path.name}: {pair.reason}")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write one list, rows in order, with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def report_counts(dataset: Dataset, splits: dict[str, str]) -> None:
    """Print images per split and stratum."""
    counts: Counter[tuple[str, tuple[str, int, str | None]]] = Counter()
    for sample in dataset.samples:
        file = sample.image_path.relative_to(dataset.root).as_posix()
        counts[splits[file], stratum_of(dataset, sample)] += 1
    for key in sorted(counts, key=str):
        print(f"  {key}: {counts[key]}")


if __name__ == "__main__":
    main()
