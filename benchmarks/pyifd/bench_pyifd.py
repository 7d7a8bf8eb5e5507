"""Our maps beside pyIFD's on the same images: localization and seconds.

    python3.11 -m venv pyifd-env
    pyifd-env/bin/pip install -r benchmarks/pyifd/requirements.txt
    pyifd-env/bin/pip install --no-deps --no-build-isolation jpegio==0.2.8 pyIFD==0.0.3
    IMFORENSICS_DATA=... python benchmarks/pyifd/bench_pyifd.py --python pyifd-env/bin/python [--images 40]

Takes tampered images of CASIA v1's test split, drawn by the seed, as they are and saved again at quality 90
(4:2:0). pyIFD's maps are scaled to the image's size by nearest neighbour and taken as they come: where the
mean AUC is below 0.5 their sign is the other one, and 1 - AUC is what its best reading gives. AUC, and F1
at each image's best threshold are means over images. Maps of pyIFD in the work folder are not made again.

Seconds are medians over a few of the same files, reading included: both sides one after the other in this
run, one process each, after a first image that is not timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from imforensics.datasets.base import load_dataset, load_split
from imforensics.datasets.rasters import read_mask
from imforensics.evidence import read_evidence
from imforensics.methods import load_method
from imforensics.metrics.localization import localize_metrics
from imforensics.pipeline.evaluate.protocols import seeded_generator
from imforensics.preprocessing.jpeg import encode_jpeg
from imforensics.provenance import find_commit
from imforensics.types import BoolArray, FloatArray, Sample

# pyIFD's method to ours on the same trace
COUNTERPARTS = {
    "ADQ1": "double_quantization",
    "ADQ2": "double_quantization",
    "ADQ3": "double_quantization",
    "NADQ": "nonaligned_double_quantization",
    "GHOST": "jpeg_ghost",
    "DCT": "dct_histograms",
    "BLK": "jpeg_grid",
    "ELA": "ela",
    "NOI1": "wavelet_noise",
    "NOI2": "wavelet_noise",
    "NOI4": "median_filtering",
    "NOI5": "wavelet_noise",
    "CFA1": "cfa",
    "CFA2": "cfa",
    "CAGI": "jpeg_grid",
}
PROTOCOLS = ("raw", "resaved_q90")


def main() -> None:
    """Make the files, run both sides, print a Markdown table for each protocol."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, required=True, help="interpreter of pyIFD's environment")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument(
        "--timed", type=int, default=6, help="images that both sides are timed on; 0 for none"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, default=Path("runs/pyifd"))
    parser.add_argument("--methods", nargs="*", default=list(COUNTERPARTS), help="of pyIFD")
    parser.add_argument("--output", type=Path, help="write what is printed into this page too")
    arguments = parser.parse_args()
    lines: list[str] = []
    for line in report(arguments):
        print(line, flush=True)
        lines.append(line)
    if arguments.output is not None:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def report(arguments: argparse.Namespace) -> Iterator[str]:
    """The lines of the page: localization for each protocol, then seconds."""
    samples = draw_samples(arguments.images, arguments.seed)
    yield "# Beside pyIFD"
    yield ""
    yield f"`python benchmarks/pyifd/bench_pyifd.py --images {arguments.images} --seed {arguments.seed}`,"
    yield f"commit `{find_commit()}`: tampered images of CASIA v1's test split, drawn by the seed."
    yield "pyIFD 0.0.3 as it is, on the versions that it needs. Its maps are taken as they come: below 0.5"
    yield "their sign is the other one."
    for protocol in PROTOCOLS:
        folder = arguments.work / protocol
        masks = write_files(samples, protocol, folder / "files")
        run_pyifd(arguments.python, arguments.methods, folder / "files", folder / "maps")
        yield f"\n## {protocol}, {len(masks)} images\n"
        yield "| pyIFD | pixel AUC | f1_best | ours | pixel AUC | f1_best |\n|---|---:|---:|---|---:|---:|"
        ours: dict[str, tuple[str, str]] = {}
        for name in arguments.methods:
            own = COUNTERPARTS[name]
            if own not in ours:
                ours[own] = measure_own(own, folder / "files", masks)
            theirs = measure_pyifd(name, folder, masks)
            yield f"| {name} | {' | '.join(theirs)} | {own} | {' | '.join(ours[own])} |"
    if arguments.timed:
        yield from time_both(arguments)


def time_both(arguments: argparse.Namespace) -> Iterator[str]:
    """Time both sides on the first files, side by side."""
    with tempfile.TemporaryDirectory() as place:
        files = Path(place) / "files"
        files.mkdir()
        for path in sorted((arguments.work / "raw" / "files").glob("*.jpg"))[: arguments.timed]:
            (files / path.name).write_bytes(path.read_bytes())
        yield f"\n## Seconds an image, median of {arguments.timed}, reading included\n"
        yield "| pyIFD | s | ours | s | ours / pyIFD |\n|---|---:|---|---:|---:|"
        for name in arguments.methods:
            run_pyifd(arguments.python, [name], files, Path(place) / "maps")
            found = json.loads((Path(place) / "maps" / f"{name}.json").read_text(encoding="utf-8"))
            theirs = float(np.median([value for value in found.values() if not isinstance(value, str)]))
            ours = time_own(COUNTERPARTS[name], sorted(files.iterdir()))
            cells = (f"{theirs:.3f}", COUNTERPARTS[name], f"{ours:.3f}", f"{ours / theirs:.2f}")
            yield f"| {name} | {' | '.join(cells)} |"


def draw_samples(count: int, seed: int) -> list[Sample]:
    """Tampered images with a mask of the test split."""
    split = load_split(load_dataset("casia1"), "test")
    tampered = [s for s in split if s.label == 1 and s.mask_path is not None]
    order = seeded_generator(seed, "pyifd").permutation(len(tampered))
    return [tampered[index] for index in sorted(order[:count])]


def write_files(samples: list[Sample], protocol: str, folder: Path) -> dict[str, BoolArray]:
    """The JPEG files that both sides read; their names to the masks."""
    encoding = load_dataset("casia1").card.mask_encoding
    folder.mkdir(parents=True, exist_ok=True)
    masks = {}
    for number, sample in enumerate(samples):
        evidence = read_evidence(sample.image_path)
        if evidence.jpeg is None or sample.mask_path is None:
            continue
        path = folder / f"{number:03d}.jpg"
        if protocol == "raw":
            path.write_bytes(sample.image_path.read_bytes())
        else:
            path.write_bytes(encode_jpeg(evidence.pixels, quality=90, subsampling="4:2:0"))
        masks[path.name] = read_mask(sample.mask_path, encoding=encoding)
    return masks


def run_pyifd(python: Path, names: list[str], files: Path, maps: Path) -> None:
    """Run what has no results yet."""
    missing = [name for name in names if not (maps / f"{name}.json").exists()]
    if missing:
        script = Path(__file__).with_name("run_pyifd.py")
        subprocess.run([python, script, files, maps, *missing], check=True, stdout=sys.stderr)


def measure_pyifd(name: str, folder: Path, masks: dict[str, BoolArray]) -> tuple[str, str]:
    """Mean AUC and f1_best of its maps."""
    found = json.loads((folder / "maps" / f"{name}.json").read_text(encoding="utf-8"))
    maps = {
        file: np.load(folder / "maps" / name / f"{Path(file).stem}.npy")
        for file, seconds in found.items()
        if not isinstance(seconds, str)
    }
    pairs = [(fit(values, masks[file].shape), masks[file]) for file, values in maps.items()]
    return describe(pairs, len(masks))


def measure_own(name: str, folder: Path, masks: dict[str, BoolArray]) -> tuple[str, str]:
    """The same of one of our methods."""
    method = load_method(name)()
    findings = [(method.analyze(read_evidence(folder / file)).map, mask) for file, mask in masks.items()]
    return describe([(found.values, mask) for found, mask in findings if found is not None], len(masks))


def time_own(name: str, files: list[Path]) -> float:
    """Median seconds of reading a file and running the method, after a first one that is not timed."""
    method = load_method(name)()
    method.analyze(read_evidence(files[0]))
    seconds = []
    for file in files:
        started = time.perf_counter()
        method.analyze(read_evidence(file))
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def describe(pairs: list[tuple[FloatArray, BoolArray]], count: int) -> tuple[str, str]:
    """Means over the images for which there is a map."""
    metrics = [localize_metrics(values, mask, threshold=None) for values, mask in pairs]
    if not metrics:
        return "no map", "-"
    auc, best = (float(np.nanmean([found[key] for found in metrics])) for key in ("auc", "f1_best"))
    missing = "" if len(metrics) == count else f" ({len(metrics)} maps)"
    return f"{auc:.3f}{missing}", f"{best:.3f}"


def fit(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """The map at the image's size, moved to [0, 1]; unknown values count as the least."""
    values = np.nan_to_num(values, nan=np.nanmin(values), posinf=np.nanmax(values[np.isfinite(values)]))
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    picture = Image.fromarray(scaled.astype(np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.NEAREST))


if __name__ == "__main__":
    main()
