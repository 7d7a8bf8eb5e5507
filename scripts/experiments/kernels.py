"""How far results depend on the processor: every method on fixed pictures, under other numerical kernels.

NumPy and OpenBLAS choose their code by the processor. Here they are told to choose other code, as they would
on other machines, and every number that differs is compared. ONNX Runtime offers no such choice: its part
shows only where machines differ.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from experiment import ROOT, Experiment
from imforensics.report.markdown import Table

sys.path.insert(0, str(ROOT / "tests"))

from fixtures.golden_methods import compare

KINDS = ("score", "map", "observations")
MAP_FIELDS = frozenset({"map_mean", "map_quantiles", "valid_share", "mask_share"})
SIMD = "NPY_DISABLE_CPU_FEATURES"


def measure(experiment: Experiment) -> Iterator[Table]:
    """A row for each environment and method that differ from what the machine chooses by itself."""
    expected, rows = describe_under({}), []
    for name, settings in experiment.config.options["environments"].items():
        largest = largest_differences(expected, describe_under(settings)) or {
            "all": dict.fromkeys(KINDS, 0.0)
        }
        for method, sizes in sorted(largest.items()):
            rows.append([name, f"`{method}`", *(f"{sizes[k]:.1e}" if sizes[k] else "0" for k in KINDS)])
    yield Table("", ("numerical kernels", "method", *KINDS), rows, words=2)


def describe_under(settings: dict[str, str]) -> Any:
    """Findings of a new process with these environment variables."""
    environment = {**os.environ, **settings}
    if SIMD in settings:
        environment[SIMD] = list_switchable()
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
