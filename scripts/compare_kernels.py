"""How far results depend on the processor: every method on fixed pictures, under other numerical kernels.

    python scripts/compare_kernels.py [-o docs/experiments/kernels.md]

NumPy and OpenBLAS choose their code by the processor. Here they are told to choose other code, as they would
on other machines, and every number that differs is compared. ONNX Runtime offers no such choice: its part
shows only where machines differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.golden_methods import compare  # noqa: E402

KINDS = ("score", "map", "observations")
MAP_FIELDS = frozenset({"map_mean", "map_quantiles", "valid_share", "mask_share"})
WITHOUT_SIMD = "all that NumPy can switch off"
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "as the machine chooses": {},
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenBLAS for Nehalem, one thread": {"OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "1"},
    "NumPy without SIMD extensions, two threads": {
        "NPY_DISABLE_CPU_FEATURES": WITHOUT_SIMD,
        "OMP_NUM_THREADS": "2",
    },
}


def main() -> None:
    """Run all environments and print, or write, a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, help="Markdown file; printed where not given")
    target = parser.parse_args().output
    found = {name: describe_under(settings) for name, settings in ENVIRONMENTS.items()}
    reference, *others = found
    largest = {name: largest_differences(found[reference], found[name]) for name in others}
    text = render(largest)
    if target is None:
        print(text)
    else:
        target.write_text(text, encoding="utf-8")


def describe_under(settings: dict[str, str]) -> Any:
    """Findings of a new process with these environment variables."""
    environment = {**os.environ, **settings}
    if settings.get("NPY_DISABLE_CPU_FEATURES") == WITHOUT_SIMD:
        environment["NPY_DISABLE_CPU_FEATURES"] = list_switchable()
    command = [sys.executable, str(ROOT / "scripts/make_golden_methods.py"), "-o", "/dev/stdout"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.JSONDecoder().raw_decode(done.stdout)[0]


def list_switchable() -> str:
    """SIMD extensions that this machine has and NumPy can do without, as its variable takes them."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


def largest_differences(expected: Any, found: Any) -> dict[str, dict[str, float]]:
    """Method to the largest difference of "score", "map" (statistics) and "observations" (relative)."""
    result: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(KINDS, 0.0))
    for path, one, other in compare(expected, found):
        _, _, part, *rest = path.split("/")
        name, *field = rest if part == "findings" else [part, *rest]
        kind = "score" if field == ["score"] else "map" if field[0] in MAP_FIELDS else "observations"
        is_number = isinstance(one, int | float) and isinstance(other, int | float)
        scale = max(1.0, abs(one)) if is_number and kind == "observations" else 1.0
        result[name][kind] = max(result[name][kind], abs(one - other) / scale if is_number else float("inf"))
    return result


def render(largest: dict[str, dict[str, dict[str, float]]]) -> str:
    """A Markdown page."""
    lines = [
        "# The same result on every machine",
        "",
        "Command: `python scripts/compare_kernels.py -o docs/experiments/kernels.md`. Data: the two samples",
        "and six made pictures of `tests/fixtures/golden_methods.py`; all methods. The table gives the",
        "largest difference from what the machine chooses by itself; methods not listed gave the same bits.",
        "Scores and map statistics are absolute, observations relative.",
        "",
        "| numerical kernels | method | score | map | observations |",
        "|---|---|---|---|---|",
    ]
    for environment, methods in largest.items():
        for name, sizes in sorted(methods.items()):
            cells = " | ".join(f"{sizes[kind]:.1e}" if sizes[kind] else "0" for kind in sizes)
            lines.append(f"| {environment} | `{name}` | {cells} |")
        if not methods:
            lines.append(f"| {environment} | all | 0 | 0 | 0 |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
