"""Feed mutated files to the code that reads images, and keep what it does not answer with an error of ours.

    python scripts/fuzz.py OUT_FOLDER --minutes 60 --seed 1

Each case is read, and examined by the methods that look at the file rather than at its pixels, in a child
process with a limit on time and memory. An exception that is no `ImforensicsError`, a child that dies and a
case that takes too long are faults. The first case of each kind of fault is kept in OUT_FOLDER with its
trace, and made as small as it gets. Case N of a seed is the same each time, given the same start files, which
OUT_FOLDER/seeds keeps: `--seeds OUT_FOLDER/seeds --seed 1 --first N --cases 1` repeats it.

Exits with 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import IO

sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_mutations import mutate
from fuzz_seeds import make_seeds
from imforensics.errors import ImforensicsError
from imforensics.evidence import read_evidence
from imforensics.methods import load_method

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "samples"
EXAMINED = tuple(map(load_method, ("metadata", "jpeg_structure", "content_credentials")))
MAX_PIXELS = 4_000_000
MINIMISING_SECONDS = 60.0
_OURS = re.compile(r'File "[^"]*?imforensics/([\w/]+\.py)"?, line \d+,? in (\w+)')

Examiner = Callable[[bytes], str]  # content to "read" or "refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a case did to the child: "exception", "slow" or "death"; what and where, in words; the trace."""

    kind: str
    place: str
    trace: str

    @property
    def key(self) -> tuple[str, str]:
        """Faults with the same key are taken for one."""
        return self.kind, self.place


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds a case may take, and megabytes of address space that the child may take on top of its own."""

    seconds: float = 20.0
    megabytes: int = 3000


def examine(content: bytes) -> str:
    """Read one file and look at it with every method that reads files; errors of ours are answers."""
    try:
        evidence = read_evidence(content, name="case.jpg", max_pixels=MAX_PIXELS)
    except ImforensicsError:
        return "refused"
    for method in EXAMINED:
        if "jpeg" not in method.requires or evidence.jpeg is not None:
            with contextlib.suppress(ImforensicsError):
                finding = method().analyze(evidence)
                json.dumps([dict(finding.observations), finding.notes])
    return "read"


class Child:
    """A process that examines case after case; a new one takes its place after a death.

    It is forked, so that a new one is there at once.
    """

    def __init__(self, examiner: Examiner, limits: Limits) -> None:
        """Nothing is started before the first case."""
        self._examiner, self._limits = examiner, limits
        self._context = multiprocessing.get_context("fork")
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 — closed in `stop`
        self._process: ForkProcess | None = None
        self._pipe: Connection | None = None

    def run(self, content: bytes) -> str | Fault:
        """Examine one file: the examiner's answer, or what went wrong."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            process, pipe = self._start()
        self._log.seek(0)
        self._log.truncate()
        try:
            pipe.send_bytes(content)
            if pipe.poll(self._limits.seconds + 5):
                answer: str | Fault = pipe.recv()
                return answer
            process.kill()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass
        process.join()
        self._process = self._pipe = None
        pipe.close()
        return self._describe_death(process.exitcode)

    def stop(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._log.close()

    def _start(self) -> tuple[ForkProcess, Connection]:
        self._pipe, other_end = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(other_end, self._log.fileno(), self._examiner, self._limits), daemon=True
        )
        self._process.start()
        other_end.close()
        return self._process, self._pipe

    def _describe_death(self, code: int | None) -> Fault:
        self._log.seek(0)
        trace = self._log.read().decode("utf-8", "replace")
        # faulthandler names the innermost frame first, a traceback last.
        places = _OURS.findall(trace)
        is_slow = "Timeout (" in trace or code == -9
        what = "" if is_slow else f"exit code {code} "
        place = f"{what}in {' '.join(places[0])}" if places else f"{what}outside our code"
        return Fault("slow" if is_slow else "death", place, trace)


def _serve(pipe: Connection, log: int, examiner: Examiner, limits: Limits) -> None:
    """The child: read a case, answer, until the pipe closes. What C libraries say goes into the log."""
    os.dup2(log, 2)
    faulthandler.enable(log)
    allowed = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (allowed + limits.megabytes * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            content = pipe.recv_bytes()
        except EOFError:
            return
        faulthandler.dump_traceback_later(limits.seconds, exit=True, file=log)
        answer: str | Fault
        try:
            answer = examiner(content)
        except Exception as error:  # whatever it is, it is a finding
            answer = _describe_exception(error)
        faulthandler.cancel_dump_traceback_later()
        pipe.send(answer)


def _describe_exception(error: Exception) -> Fault:
    trace = "".join(traceback.format_exception(error))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "imforensics" in Path(frame.filename).parts] or frames
    place = f"{type(error).__name__} in {Path(ours[-1].filename).name} {ours[-1].name}"
    return Fault("exception", place, trace)


def minimise(content: bytes, is_same: Callable[[bytes], bool], *, seconds: float) -> bytes:
    """Leave out ever smaller pieces as long as the fault stays the same, and until the time is over."""
    stop, size = time.monotonic() + seconds, max(len(content) // 2, 1)
    while time.monotonic() < stop:
        at, before = 0, len(content)
        while at < len(content) and time.monotonic() < stop:
            shorter = content[:at] + content[at + size :]
            if is_same(shorter):
                content = shorter
            else:
                at += size
        if size == 1 and len(content) == before:
            break
        size = max(size // 2, 1)
    return content


def make_cases(seeds: Mapping[str, bytes], *, seed: int, first: int) -> Iterator[tuple[int, str, bytes]]:
    """Number, start file and content of case after case, without end."""
    names = sorted(seeds)
    usual = [name for name in names if not name.startswith("odd")] or names
    number = first
    while True:
        generator = random.Random(f"{seed}:{number}")
        name = generator.choice(usual if generator.random() < 0.8 else names)
        donor = seeds[generator.choice(usual)]
        yield number, name, mutate(seeds[name], donor, generator)
        number += 1


def fuzz(arguments: argparse.Namespace, *, examiner: Examiner = examine) -> int:
    """Run until the time or the number of cases is reached; returns the number of different faults."""
    seeds = _load_seeds(arguments.seeds)
    folder: Path = arguments.output
    _write_seeds(folder / "seeds", seeds)
    limits = Limits(arguments.seconds, arguments.megabytes)
    child = Child(examiner, limits)
    counts: Counter[str] = Counter()
    faults: Counter[tuple[str, str]] = Counter()
    stop = time.monotonic() + 60 * arguments.minutes
    try:
        for number, name, content in make_cases(seeds, seed=arguments.seed, first=arguments.first):
            if time.monotonic() >= stop or number - arguments.first == arguments.cases:
                break
            answer = child.run(content)
            counts[answer if isinstance(answer, str) else answer.kind] += 1
            if isinstance(answer, Fault):
                faults[answer.key] += 1
                if faults[answer.key] == 1:
                    print(f"case {number} ({name}): {answer.kind}, {answer.place}", flush=True)
                    _keep(folder, len(faults), number, name, content, answer, child)
    finally:
        child.stop()
    print(f"{sum(counts.values())} cases: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
    for (kind, place), count in faults.most_common():
        print(f"{count:7} {kind}: {place}")
    return len(faults)


def _keep(
    folder: Path, order: int, number: int, name: str, content: bytes, fault: Fault, child: Child
) -> None:
    """Write the case and its smallest form; a slow one is kept as it is, each try would cost the limit."""

    def is_same(shorter: bytes) -> bool:
        answer = child.run(shorter)
        return isinstance(answer, Fault) and answer.key == fault.key

    stem = f"{order:03}_{fault.kind}_case_{number}"
    (folder / f"{stem}.bin").write_bytes(content)
    (folder / f"{stem}.txt").write_text(f"{fault.place}\nfrom {name}\n\n{fault.trace}", "utf-8", "replace")
    if fault.kind != "slow":
        smallest = minimise(content, is_same, seconds=MINIMISING_SECONDS)
        (folder / f"{stem}.minimised.bin").write_bytes(smallest)


def _load_seeds(folder: Path | None) -> dict[str, bytes]:
    seeds = {path.name: path.read_bytes() for path in (folder or SAMPLES).iterdir() if path.suffix != ".md"}
    if folder is None:
        seeds |= make_seeds()
    if not seeds:
        raise SystemExit(f"expected files to start from in {folder}, found none")
    return seeds


def _write_seeds(folder: Path, seeds: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path, help="a new or empty folder for what is found")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to go on")
    parser.add_argument("--cases", type=int, default=-1, help="how many cases; by default as time allows")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=0, help="decides all mutations")
    parser.add_argument("--seeds", type=Path, help="folder of files to start from instead of the made ones")
    parser.add_argument("--seconds", type=float, default=20.0, help="time that one case may take")
    parser.add_argument("--megabytes", type=int, default=3000, help="memory that the child may take")
    parsed = parser.parse_args(arguments)
    if parsed.output.exists() and any(parsed.output.iterdir()):
        parser.error(f"expected a new or empty folder, {parsed.output} holds files")
    return parsed


def main(arguments: Sequence[str]) -> int:
    """Fuzz as the command line says."""
    parsed = parse_arguments(arguments)
    os.nice(10)
    return 1 if fuzz(parsed) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
