"""Cold `imforensics analyze` of JPEGs of several sizes: time, processor time, peak memory, and where they go.

    python benchmarks/bench_analyze.py [--megapixels 12 ...] [--runs 5] [--before CHECKOUT] [--variants NAME]
    python benchmarks/bench_analyze.py --breakdown [--image photo.jpg] [--trace trace.json]

Each run is a new process. All variants take turns, so that they see the same machine, and so does the build
in CHECKOUT, a working tree of another commit: the ratios beside it are those of the medians. "bare decode" is
Pillow alone; "bare limit" decodes, reads the coefficients and runs the localizer's network, by the same
libraries, and does nothing else. `--breakdown` runs the steps of one analysis one after the other in one
process, and can write them in the trace format that speedscope and Perfetto show. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DECODE = "import sys; from PIL import Image; Image.open(sys.argv[1]).convert('RGB').load()"
LIMIT = """
import sys
from pathlib import Path
from imforensics.evidence import read_evidence
from imforensics.models.localizer.bundle import load_localizer
from imforensics.models.localizer.traces import describe_uncompressed
evidence = read_evidence(Path(sys.argv[1]))
evidence.jpeg.read_coefficients()
rows, columns = (-(-side // 8) for side in evidence.pixels.shape[:2])
load_localizer("localizer", threads=2).localize(describe_uncompressed(rows, columns), evidence.pixels)
"""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took.

    Attributes:
        seconds: wall time.
        processor: processor seconds, of the user and the system.
        megabytes: peak of resident memory, of the largest process.
    """

    seconds: float
    processor: float
    megabytes: float


def make_photo(path: Path, megapixels: float) -> None:
    """Write a 4:3 JPEG of blurred noise at several scales: compresses about as a photograph does."""
    import numpy as np
    from PIL import Image

    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    rng = np.random.default_rng(0)
    pixels = np.full((height, width, 3), 128.0, np.float32)
    for cell, strength in ((256, 60), (64, 30), (16, 15), (4, 6), (1, 3)):
        coarse = rng.normal(0, strength, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            pixels[..., channel] += np.asarray(layer)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)


def run(command: list[str], *, exit_code: int = 0, source: Path | None = None) -> Run:
    """Measure one process and its children.

    Args:
        command: to run.
        exit_code: that is expected.
        source: folder that `imforensics` is imported from; None takes the installed one.
    """
    measured = (
        "import resource, subprocess, sys;"
        "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode;"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    environment = os.environ if source is None else {**os.environ, "PYTHONPATH": str(source)}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", measured, *command],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    code, processor, memory = done.stdout.split()
    if int(code) != exit_code:
        raise RuntimeError(f"expected exit code {exit_code}, received {code}: {done.stderr}")
    return Run(time.perf_counter() - started, float(processor), float(memory))


def list_variants(photo: Path, folder: Path) -> dict[str, list[str]]:
    """Name to command."""
    analyze = [sys.executable, "-m", "imforensics.cli.main", "analyze", str(photo)]
    return {
        "bare decode": [sys.executable, "-c", DECODE, str(photo)],
        "bare limit": [sys.executable, "-c", LIMIT, str(photo)],
        "analyze": analyze,
        "analyze -o": [*analyze, "-o", str(folder / "report"), "--overwrite"],
        "analyze fast": [*analyze, "--profile", "fast"],
    }


def compare(photo: Path, folder: Path, arguments: argparse.Namespace) -> None:
    """Print a row for each variant of one picture, and of the build before beside it."""
    variants = list_variants(photo, folder)
    chosen = {name: variants[name] for name in arguments.variants or variants}
    before = None if arguments.before is None else arguments.before / "src"
    results: dict[str, list[tuple[Run, Run | None]]] = {name: [] for name in chosen}
    for _ in range(arguments.runs):
        for name, command in chosen.items():
            is_ours = before is not None and name.startswith("analyze")
            earlier = run(command, source=before) if is_ours else None
            results[name].append((run(command), earlier))
    for name, measured in results.items():
        now = _medians([ours for ours, _ in measured])
        row = f"{name:<14}{now.seconds:7.2f} s {now.processor:7.2f} processor s {now.megabytes:6.0f} MB"
        then = [earlier for _, earlier in measured if earlier is not None]
        if then:
            old = _medians(then)
            row += (
                f"   before: {old.seconds:.2f} s, {old.processor:.2f}, {old.megabytes:.0f} MB; ratios "
                f"{now.seconds / old.seconds:.2f}, {now.processor / old.processor:.2f}, "
                f"{now.megabytes / old.megabytes:.2f}"
            )
        print(row, flush=True)


def _medians(runs: list[Run]) -> Run:
    return Run(
        statistics.median(one.seconds for one in runs),
        statistics.median(one.processor for one in runs),
        max(one.megabytes for one in runs),
    )


class Steps:
    """The steps of one analysis in this process, one after the other."""

    def __init__(self) -> None:
        """Start without any: name, start, seconds, processor seconds and megabytes of each."""
        self.rows: list[tuple[str, float, float, float, float]] = []

    def take(self, name: str, work: Callable[[], Result]) -> Result:
        """Do one step and note its start, wall and processor time, and the peak memory after it."""
        start, processor = time.perf_counter(), time.process_time()
        result = work()
        seconds, used = time.perf_counter() - start, time.process_time() - processor
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
        self.rows.append((name, start, seconds, used, peak))
        return result


def break_down(photo: Path, trace: Path | None) -> None:
    """Print what each step of one analysis takes, and write the trace."""
    steps = Steps()

    def import_all() -> None:
        import imforensics.report.writers  # noqa: F401

    steps.take("import", import_all)
    from imforensics.config import AnalyzeConfig
    from imforensics.evidence import read_evidence
    from imforensics.pipeline.analyze import build_analyzer, describe_methods, run_method
    from imforensics.report.writers import write_report

    analyzer = steps.take("build", lambda: build_analyzer(AnalyzeConfig()))
    evidence = steps.take("read", lambda: read_evidence(photo))
    if evidence.jpeg is not None:
        steps.take("coefficients", evidence.jpeg.read_coefficients)
    for method in analyzer.methods:
        steps.take(method.name, lambda method=method: run_method(method, evidence))  # type: ignore[misc]
    report = analyzer.analyze(evidence)
    with tempfile.TemporaryDirectory() as folder:
        steps.take("report", lambda: write_report(report, describe_methods(), Path(folder) / "report"))
    for name, _, seconds, processor, peak in steps.rows:
        print(f"{name:<22}{seconds:7.3f} s {processor:7.3f} processor s {peak:6.0f} MB")
    if trace is not None:
        events = [
            {"name": name, "ph": "X", "ts": start * 1e6, "dur": seconds * 1e6, "pid": 1, "tid": 1}
            for name, start, seconds, _, _ in steps.rows
        ]
        trace.write_text(json.dumps({"traceEvents": events}), encoding="utf-8")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12.0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--image", type=Path, help="a picture of yours instead of made ones")
    parser.add_argument("--before", type=Path, help="working tree of the build to compare with")
    parser.add_argument("--variants", nargs="+", help="names of those to run; all by default")
    parser.add_argument("--breakdown", action="store_true")
    parser.add_argument("--trace", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in arguments.megapixels:
            photo = arguments.image or folder / "photo.jpg"
            made = arguments.image is None
            if made:
                make_photo(photo, size)
                print(f"{size:g} megapixels, {photo.stat().st_size / 1e6:.2f} MB", flush=True)
            if not arguments.breakdown:
                compare(photo, folder, arguments)
            elif made:  # in a process that has not made a picture
                again = [sys.executable, __file__, "--breakdown", "--image", str(photo)]
                trace = [] if arguments.trace is None else ["--trace", str(arguments.trace)]
                subprocess.run([*again, *trace], check=True)
            else:
                break_down(photo, arguments.trace)


if __name__ == "__main__":
    main()
