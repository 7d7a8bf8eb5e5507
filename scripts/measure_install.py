"""What each direct dependency costs on disk, measured in the environment that runs this script.

    python scripts/measure_install.py                  # the base dependencies, as a Markdown table
    python scripts/measure_install.py --extra train    # those of an extra
    python scripts/measure_install.py --limit-mb 430   # exit 1 where site-packages is larger

MB are 10^6 bytes of files, compiled bytecode included.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
MB = 1e6


def main() -> int:
    """Print the table and the total; 1 where the total is over the limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--extra", help="measure the dependencies of this extra instead of the base ones")
    parser.add_argument("--limit-mb", type=float, help="exit 1 where site-packages is larger than this")
    arguments = parser.parse_args()
    direct = declared_dependencies(arguments.extra)
    closures = {name: closure(name) for name in direct}
    print("| dependency | version | MB alone | MB with all it pulls in | MB that only it needs | licence |")
    print("|---|---|---:|---:|---:|---|")
    for name in sorted(direct):
        others = set().union(*(closures[other] for other in direct if other != name))
        found = distribution(name)
        print(
            f"| {name} | {found.version} | {size_mb({name}):.1f} | {size_mb(closures[name]):.1f} "
            f"| {size_mb(closures[name] - others):.1f} | {licence_of(found)} |"
        )
    total = folder_mb(Path(sysconfig.get_path("purelib")))
    print(f"\nsite-packages in all, pip and setuptools included: {total:.0f} MB")
    if arguments.limit_mb is not None and total > arguments.limit_mb:
        print(f"over the limit of {arguments.limit_mb:.0f} MB", file=sys.stderr)
        return 1
    return 0


def declared_dependencies(extra: str | None) -> list[str]:
    """Names of the direct dependencies in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return [Requirement(line).name for line in lines]


def closure(name: str) -> set[str]:
    """The distribution and everything that it pulls in here, by canonical name."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop().lower().replace("_", "-")
        if current in seen:
            continue
        seen.add(current)
        for line in distribution(current).requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return seen


def size_mb(names: set[str]) -> float:
    """MB of the files that these distributions installed."""
    total = 0
    for name in names:
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed here. Install requirements.lock first.") from None
        total += sum(
            Path(str(file.locate())).stat().st_size for file in files if Path(str(file.locate())).is_file()
        )
    return total / MB


def folder_mb(folder: Path) -> float:
    """MB of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def licence_of(found: Distribution) -> str:
    """The licence that a distribution declares: expression, else classifier, else first line of its field."""
    expression = found.metadata.get("License-Expression")
    if expression:
        return str(expression).replace("|", "/")
    classifiers = found.metadata.get_all("Classifier") or []
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    field = str(found.metadata.get("License") or "not declared").splitlines()[0]
    return ", ".join(named) or field


if __name__ == "__main__":
    raise SystemExit(main())
