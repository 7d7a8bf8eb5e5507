"""Break every command that writes, in every way, and look at what is left.

Each command runs on small made inputs and is killed (SIGKILL, SIGINT, SIGTERM) at random moments, meets a
full disk, a read-only folder, inputs that vanish and a second run into the same folder. After each fault:
every file of the user's is as it was; whatever stands in the output folder is whole and recorded, or not
there; no traceback was shown; and the same command, run again, ends well. Prints a table; exit code 1 if a
cell failed.

The full disk and the read-only folder are small file systems in memory, which only root may mount on Linux;
elsewhere these cells say "not tried".

    python scripts/fault_drill.py
    python scripts/fault_drill.py scan evaluate --tries 5 --seed 1
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_cases import CASES, Case, digests, find_damage, make_inputs
from imforensics.outputs import MARKER

FAULTS = ("SIGKILL", "SIGINT", "SIGTERM", "full disk", "read-only", "vanished input", "two at once")


class Drill:
    """One command, its inputs and its output, in a folder of their own."""

    def __init__(self, case: Case, place: Path, *, count: int, seed: int) -> None:
        """Make the inputs and run the command once, undisturbed."""
        self.case, self.place = case, place
        self.inputs, self.output = place / "mine", place / "results" / "out"
        self.random = random.Random(f"{case.name} {seed}")
        make_inputs(self.inputs, count=count, seed=seed)
        (place / "results").mkdir()
        (place / "results" / "letter.txt").write_text("mine")
        self.before = digests(self.inputs)
        started = time.monotonic()
        done = self.run(place / "straight")
        self.seconds = time.monotonic() - started
        if done.returncode != 0:
            raise RuntimeError(f"{case.name} fails undisturbed: {done.stderr[-2000:]}")
        self.size = sum(path.stat().st_size for path in (place / "straight").rglob("*"))

    def run(self, output: Path, *more: str) -> subprocess.CompletedProcess[str]:
        """Run to the end."""
        command = self.case.command(self.inputs, output, *more)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

    @contextmanager
    def start(self, output: Path) -> Iterator[subprocess.Popen[str]]:
        """Run beside this process; whatever is left of it is killed in the end."""
        command = self.case.command(self.inputs, output)
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def find_faults(self, output: Path, stderr: str) -> list[str]:
        """What is wrong after a fault."""
        found = list(find_damage(output))
        found += [] if digests(self.inputs) == self.before else ["INPUTS CHANGED"]
        found += [] if (self.place / "results" / "letter.txt").read_text() == "mine" else ["LETTER CHANGED"]
        return [*found, *(["traceback"] if "Traceback" in stderr else [])]

    def go_on(self, output: Path) -> list[str]:
        """Run the command again, as its user would; what is wrong then."""
        done = self.run(output, *self.case.again)
        ended = (
            [] if done.returncode == 0 else [f"again: exit {done.returncode} {done.stderr[-300:].strip()}"]
        )
        parts = [path.name for path in output.rglob("*") if ".part" in path.name]
        return [*ended, *self.find_faults(output, done.stderr), *(["unfinished files left"] if parts else [])]

    def refused(self, done: subprocess.CompletedProcess[str], words: str = "") -> list[str]:
        """What is wrong with how a command was refused or gave up: one line, exit code 1."""
        errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        found = [] if done.returncode == 1 else [f"exit {done.returncode}"]
        return found + ([] if len(errors) == 1 and words in errors[0] else [f"said {done.stderr[-300:]!r}"])

    def kill(self, name: str) -> list[str]:
        """A signal at a random moment: SIGINT to all processes, as a terminal does; others to the first."""
        shutil.rmtree(self.output, ignore_errors=True)
        with self.start(self.output) as process:
            time.sleep(self.random.uniform(0.1, 1.0) * self.seconds)
            with suppress(ProcessLookupError):
                (os.killpg if name == "SIGINT" else os.kill)(process.pid, getattr(signal, name))
            stderr = process.communicate(timeout=120)[1]
            return [*self.find_faults(self.output, stderr), *self.go_on(self.output)]

    def meet_full_disk(self) -> list[str]:
        """A disk that holds a part of the output; then one that holds it all."""
        size = max(16384, int(self.size * self.random.uniform(0.1, 0.9)))
        with mounted(self.place / "disk", f"size={size}"):
            output = self.place / "disk" / "out"
            done = self.run(output)
            if done.returncode == 0:
                return []  # it fitted
            found = [*self.refused(done, "No space left"), *self.find_faults(output, done.stderr)]
            mount("-o", f"remount,size={self.size * 4 + (1 << 22)}", str(self.place / "disk"))
            return [*found, *self.go_on(output)]

    def meet_read_only(self) -> list[str]:
        """A folder that cannot be written to, without and with an output in it."""
        with mounted(self.place / "disk", "size=256m"):
            output = self.place / "disk" / "out"
            shutil.copytree(self.place / "straight", output)
            before = digests(output)
            mount("-o", "remount,ro", str(self.place / "disk"))
            found = self.refused(self.run(self.place / "disk" / "new"), "Read-only")
            found += self.refused(self.run(output, *self.case.again), "Read-only")
            return found + ([] if digests(output) == before else ["OUTPUT CHANGED"])

    def lose_inputs(self) -> list[str]:
        """Inputs that are moved away while they are read, and come back."""
        shutil.rmtree(self.output, ignore_errors=True)
        away = self.place / "away"
        with self.start(self.output) as process:
            time.sleep(self.random.uniform(0.1, 0.9) * self.seconds)
            self.inputs.rename(away)
            stderr = process.communicate(timeout=300)[1]
            away.rename(self.inputs)
        found = [] if process.returncode in (0, 1) else [f"exit {process.returncode}"]
        retry = ("--retry-errors",) if self.case.name == "scan" else ()
        if process.returncode == 0 and self.case.again == ("--overwrite",):
            return [*found, *self.find_faults(self.output, stderr)]
        again = self.run(self.output, *self.case.again, *retry)
        found += [] if again.returncode == 0 else [f"again: {again.stderr[-300:]}"]
        return [*found, *self.find_faults(self.output, stderr + again.stderr)]

    def run_twice(self) -> list[str]:
        """A second run into the folder of one that is at work."""
        shutil.rmtree(self.output, ignore_errors=True)
        with self.start(self.output) as first:
            marker = self.output / MARKER
            while not (marker.exists() and b'"run"' in marker.read_bytes()) and first.poll() is None:
                time.sleep(0.001)
            first.send_signal(signal.SIGSTOP)
            is_at_work = first.poll() is None
            second = self.run(self.output, *self.case.again)
            first.send_signal(signal.SIGCONT)
            stderr = first.communicate(timeout=300)[1]
        found = self.refused(second, f"process {first.pid} on") if is_at_work else ["never at work"]
        found += [] if first.returncode == 0 else [f"first: exit {first.returncode} {stderr[-300:]}"]
        return [*found, *self.find_faults(self.output, stderr)]

    def try_fault(self, fault: str) -> list[str]:
        """Meet one fault once; what was wrong."""
        match fault:
            case "full disk":
                return self.meet_full_disk()
            case "read-only":
                return self.meet_read_only()
            case "vanished input":
                return self.lose_inputs()
            case "two at once":
                return self.run_twice()
        return self.kill(fault)


def mount(*arguments: str) -> None:
    """Call mount(8)."""
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """A file system in memory at a folder."""
    place.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def may_mount() -> bool:
    """True where small file systems can be mounted."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder) / "disk", "size=64k"):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def main() -> int:
    """Run the drill; 1 if a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--faults", nargs="*", choices=FAULTS, default=FAULTS)
    parser.add_argument("--tries", type=int, default=3, help="of each fault with a random moment")
    parser.add_argument("--photos", type=int, default=60, help="that are read; train-fusion needs 60")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    can_mount = may_mount()
    print(f"| command | {' | '.join(options.faults)} |\n|{'---|' * (len(options.faults) + 1)}")
    failures: list[str] = []
    for name in options.commands or CASES:
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            drill = Drill(CASES[name], Path(folder), count=options.photos, seed=options.seed)
            cells = []
            for fault in options.faults:
                if fault in ("full disk", "read-only") and not can_mount:
                    cells.append("not tried")
                    continue
                tries = 1 if fault in ("read-only", "two at once") else options.tries
                results = [drill.try_fault(fault) for _ in range(tries)]
                cells.append(f"{sum(not found for found in results)} of {tries}")
                failures += [f"{name}, {fault}: {'; '.join(found)}" for found in results if found]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print("\n".join(["", *failures] if failures else ["", "no failure"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
