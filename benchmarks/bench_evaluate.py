"""Time and memory of `imforensics evaluate` beside running the method alone on the same images.

    IMFORENSICS_DATA=... python benchmarks/bench_evaluate.py [--method ela] [--images 200 1700] [--runs 3]

"alone" reads the same images and runs the method in the same number of processes of the same pool, and drops
the finding. "evaluate" also reads the masks, measures every map and keeps the records; "with summary" adds
the metrics with 2,000 bootstrap resamples, curves, contact sheet and page. Each run is a new process; the
kinds alternate, so that all see the same machine. Prints medians, the ratios to "alone" in wall time and in
processor time (user and system, all processes: the one to read on a machine that is busy with other work),
and the peak memory of the main process plus that of the largest worker times the number of workers.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imforensics.config import EvaluateConfig
from imforensics.cores import available_cores
from imforensics.datasets.base import load_dataset, load_split
from imforensics.engines.local import run_in_processes
from imforensics.evidence import read_evidence
from imforensics.pipeline.analyze import build_methods, run_method
from imforensics.pipeline.evaluate.plan import Request, plan_evaluation
from imforensics.pipeline.evaluate.results import summarize, write_results

TIMES = ("seconds", "processor")
KINDS = ("alone", "evaluate", "with summary")
_method = []


def prepare(name: str) -> None:
    """Build the method once a worker."""
    _method.append(build_methods({name: {}})[0])


def analyze_alone(path: Path) -> float | None:
    """What the method alone costs: evidence and finding; the score is handed back."""
    return run_method(_method[0], read_evidence(path)).score


def largest_worker() -> float:
    """Peak memory in MB of the largest process that has ended; asked before any other program is started."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def make_request(method: str, split: str, limit: int | None) -> Request:
    """What is evaluated; a limit draws whole source groups."""
    return Request("casia1", split, "raw", methods=(method,), limit=limit)


def list_images(method: str, split: str, limit: int | None) -> set[Path]:
    """The images that an evaluation looks at: tampered ones take longer to read than authentic ones."""
    evaluation = plan_evaluation(make_request(method, split, limit), EvaluateConfig())
    evaluation.close()
    return {trial.sample.image_path for trial in evaluation.plan.trials}


def run_alone(method: str, split: str, images: set[Path]) -> tuple[int, float]:
    """Run the method on the images; their number and the largest worker."""
    samples = load_split(load_dataset("casia1"), split)
    paths = [sample.image_path for sample in samples if sample.image_path in images]
    outcomes = run_in_processes(
        analyze_alone,
        paths,
        workers=available_cores(),
        timeout_seconds=300,
        initializer=prepare,
        initializer_arguments=(method,),
    )
    return sum(1 for _ in outcomes), largest_worker()


def run_evaluate(method: str, split: str, limit: int | None, *, is_summarized: bool) -> tuple[int, float]:
    """Evaluate the method on the images; their number and the largest worker."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "out"
        evaluation = plan_evaluation(make_request(method, split, limit), EvaluateConfig(), folder=folder)
        count = sum(1 for _ in evaluation.run())
        worker = largest_worker()
        if is_summarized:
            document, columns = summarize(evaluation)
            write_results(evaluation, document, columns, folder)
        return count, worker


def measure(kind: str, method: str, split: str, limit: int | None) -> None:
    """One run in this process; prints seconds, images and peak memory in MB as JSON."""
    before = time.process_time()
    images = list_images(method, split, limit) if kind == "alone" else set()
    before, started = time.process_time() - before, time.perf_counter()
    if kind == "alone":
        count, worker = run_alone(method, split, images)
    else:
        count, worker = run_evaluate(method, split, limit, is_summarized=kind == "with summary")
    seconds = time.perf_counter() - started
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(item.ru_utime + item.ru_stime for item in usage) - before
    own = usage[0].ru_maxrss / 1024
    found = {"seconds": seconds, "processor": processor, "images": count, "main": own, "worker": worker}
    print(json.dumps({**found, "memory": own + worker * available_cores()}))


def main() -> None:
    """Print one line for each kind and number of images."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--method", default="ela")
    parser.add_argument("--images", type=int, nargs="*", default=[200, 1700], help="0 takes the test split")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--measure", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        images = arguments.images[0]
        split, limit = ("all", images) if images else ("test", None)
        measure(arguments.measure, arguments.method, split, limit)
        return
    for images in arguments.images:
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
        for _ in range(arguments.runs):
            for kind in KINDS:
                command = [sys.executable, __file__, "--method", arguments.method, "--images", str(images)]
                done = subprocess.run(
                    [*command, "--measure", kind], check=True, capture_output=True, text=True
                )
                found[kind].append(json.loads(done.stdout))
        base = {name: statistics.median(run[name] for run in found["alone"]) for name in TIMES}
        for kind, runs in found.items():
            wall, processor = (statistics.median(run[name] for run in runs) for name in TIMES)
            peak = max(runs, key=lambda run: run["memory"])
            print(
                f"{arguments.method}, {runs[0]['images']} images, {kind:<13}{wall:7.2f} s "
                f"{wall / base['seconds']:5.2f} x alone  processor {processor:6.2f} s "
                f"{processor / base['processor']:5.2f} x  peak {peak['memory']:5.0f} MB "
                f"(main {peak['main']:.0f}, worker {peak['worker']:.0f})"
            )


if __name__ == "__main__":
    main()
