"""The localizer alone at 384x256, 12 and 48 megapixels: seconds and peak memory, beside Keras on the whole.

    python benchmarks/bench_localizer.py [--bundle NAME_OR_FOLDER] [--runs 3] [--sizes 384x256 8000x6000]
        [--ways method network keras] [--threads 2] [--output FILE.json]

Without --bundle an untrained network of the default shape is written first (needs the extra train): its
speed is that of a trained one. Each run is a new process that starts the runtime on a picture of 64x64
pixels, reads the JPEG, and then is timed:

- reading: nothing; the peak memory of a process that only reads the file,
- method: the method as `analyze` runs it: coefficients, traces, network, map at native size,
- network: the network alone, windows and all, on traces that are there,
- keras: the same network in one pass over the whole picture by Keras on TensorFlow, compiled (tf.function),
  on traces that are there; random weights.

The ways take turns; printed are the least seconds, the processor's least seconds (of all threads), and the
highest peak. Linux only (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bench_methods import make_mosaic
from imforensics.evidence import read_evidence
from imforensics.types import Evidence

if TYPE_CHECKING:
    from imforensics.models.localizer.config import LocalizerNetworkConfig

Times = tuple[float, float]  # by the clock, of the processor
WAYS = ("reading", "method", "network", "keras")
SIZES = ("384x256", "4000x3000", "8000x6000")


def write_untrained(folder: Path) -> None:
    """Write a bundle of the default network with random weights."""
    import keras

    from imforensics.models.bundle.writer import write_bundle
    from imforensics.models.localizer.config import LocalizerNetworkConfig
    from imforensics.models.localizer.export import ExportedLocalizer, write_parts
    from imforensics.models.localizer.manifest import ExportDifference
    from imforensics.models.localizer.network import build_localizer
    from imforensics.models.localizer.writer import describe_localizer

    keras.utils.set_random_seed(0)
    config = LocalizerNetworkConfig()
    localizer = build_localizer(config)
    exported = ExportedLocalizer(
        write_parts(localizer),
        localizer.reach,
        localizer.whole.count_params(),
        ExportDifference(map=0, reliability=0, score=0, pictures=1),
    )
    manifest = describe_localizer(exported, **_describe_untrained(config))
    write_bundle(folder, manifest, exported.parts, {})


def _describe_untrained(config: LocalizerNetworkConfig) -> dict[str, Any]:
    """Facts of a network of random weights."""
    from datetime import UTC, datetime

    from imforensics.models.localizer.manifest import LocalizerProvenance, MapThreshold

    provenance = LocalizerProvenance(
        created_at=datetime.now(UTC),
        tool_version="0",
        commit=None,
        config_digest="0",
        seed=0,
        epochs=1,
        steps=1,
        pictures=1,
        seconds=0,
        hardware="none",
        versions={},
    )
    return {
        "name": "untrained",
        "network": config,
        "map_threshold": MapThreshold(value=0.5, policy="none", population="none"),
        "training": "Nothing.",
        "provenance": provenance,
    }


def make_picture(path: Path, size: str) -> None:
    """Write a JPEG of width x height: a mosaic of the bundled sample, cut to the size."""
    width, height = (int(side) for side in size.split("x"))
    make_mosaic(path, max(width, height * 4 / 3) ** 2 * 0.76 / 1e6)
    with Image.open(path) as image:
        image.crop((0, 0, width, height)).save(path, quality=90)


def measure(way: str, bundle: str, path: Path, threads: int) -> dict[str, float]:
    """One way on one file in this process."""
    run = _prepare(way, bundle, threads)
    evidence = read_evidence(path)
    seconds, processor = run(evidence)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    return {"seconds": seconds, "processor": processor, "megabytes": peak}


def _prepare(way: str, bundle: str, threads: int) -> Callable[[Evidence], Times]:
    """A function that times one way on evidence; what it runs on is started."""
    if way == "reading":
        return lambda _: (0.0, 0.0)
    from imforensics.methods.learned import localizer as method_module
    from imforensics.models.localizer.bundle import load_localizer
    from imforensics.models.localizer.evidence import read_traces

    method_module.RUNTIME_THREADS = threads
    method = method_module.LearnedLocalizer(method_module.LearnedLocalizer.Options(bundle=bundle))
    loaded = load_localizer(bundle, threads=threads)
    keras_run = _start_keras(loaded.manifest.network, threads) if way == "keras" else None

    def run(evidence: Evidence) -> Times:
        if way == "method":
            return _time(lambda: method.analyze(evidence))
        traces = read_traces(evidence).traces
        if keras_run is None:
            return _time(lambda: loaded.localize(traces, evidence.pixels))
        return _time(lambda: keras_run(traces, evidence.pixels))

    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        Image.fromarray(noise).save(file.name)
        run(read_evidence(Path(file.name)))
    return run


def _start_keras(config: Any, threads: int) -> Callable[[Any, Any], Any]:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    from imforensics.models.localizer.inputs import pad_to_blocks, view_pixels
    from imforensics.models.localizer.network import build_localizer
    from imforensics.models.localizer.traces import CHANNELS, TABLE_FACTS

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    whole = build_localizer(config).whole
    shapes = ((1, None, None, CHANNELS), (1, TABLE_FACTS), (1, None, None, 3))
    compiled = tf.function(
        lambda *inputs: whole(list(inputs), training=False),
        input_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes],
    )

    def run(traces: Any, pixels: Any) -> Any:
        seen = pad_to_blocks(view_pixels(pixels, config.streams))
        inputs = (traces.values, traces.table, seen)
        return [np.asarray(o) for o in compiled(*(np.asarray(a, np.float32)[None] for a in inputs))]

    return run


def _time(work: Callable[[], object]) -> Times:
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def main() -> None:
    """Print one line a size and way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", help="shipped bundle's name, or path of a folder")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES), help="width x height")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--write-untrained", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        way, bundle, path, threads = arguments.measure
        print(json.dumps(measure(way, bundle, Path(path), int(threads))))
    elif arguments.write_untrained:
        write_untrained(arguments.write_untrained)
    else:
        _compare(arguments)


def _compare(arguments: argparse.Namespace) -> None:
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bundle = arguments.bundle
        if bundle is None:
            bundle = f"{folder}/untrained"
            subprocess.run([sys.executable, __file__, "--write-untrained", bundle], check=True)
        print(f"{'size':<12}{'way':<10}{'seconds':>9}{'processor':>11}{'peak MB':>9}")
        for size in arguments.sizes:
            path = Path(folder) / f"{size}.jpg"
            make_picture(path, size)
            found: dict[str, list[dict[str, float]]] = {way: [] for way in arguments.ways}
            for _ in range(arguments.runs):
                for way, runs in found.items():
                    runs.append(_measure_apart(way, bundle, path, arguments.threads))
            for way, runs in found.items():
                least, used = (min(run[key] for run in runs) for key in ("seconds", "processor"))
                peak = max(run["megabytes"] for run in runs)
                results[f"{size} {way}"] = {"seconds": least, "processor": used, "megabytes": peak}
                print(f"{size:<12}{way:<10}{least:>9.3f}{used:>11.3f}{peak:>9.0f}", flush=True)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _measure_apart(way: str, bundle: str, path: Path, threads: int) -> dict[str, float]:
    """In a new process; one that runs out of memory or is killed counts as infinite."""
    command = [sys.executable, __file__, "--measure", way, bundle, str(path), str(threads)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{way} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {"seconds": float("inf"), "processor": float("inf"), "megabytes": float("inf")}
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
