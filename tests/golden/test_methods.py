"""What every method finds on fixed pictures, against tests/golden/methods.json.

A difference is a change of results. If it is intended, `python scripts/make_golden_methods.py` writes the new
values, and CHANGELOG lists it under "Changed (results)".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.golden_methods import build_full_analyzer, compare, describe_picture, make_pictures
from imforensics.pipeline.analyze import Analyzer

GOLDEN = json.loads(Path(__file__).with_name("methods.json").read_text(encoding="utf-8"))
# Absolute for scores and statistics of maps, relative for observations above 1. Machines differ by less: see
# docs/experiments/kernels.md. ONNX Runtime's sums come on top for what is learned.
TOLERANCE = 1e-4
LEARNED_TOLERANCE = 5e-4


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return build_full_analyzer()


def is_close(expected: Any, found: Any, tolerance: float) -> bool:
    if isinstance(expected, bool) or not all(isinstance(value, int | float) for value in (expected, found)):
        return bool(expected == found)
    return abs(expected - found) <= tolerance * max(1.0, abs(expected))


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_findings_are_those_of_before(name: str, analyzer: Analyzer) -> None:
    found = describe_picture(analyzer, name, make_pictures()[name])
    learned = {method.name for method in analyzer.methods if method.bundle_digests}
    differences = []
    for path, expected, value in compare(GOLDEN[name], json.loads(json.dumps(found))):
        _, part, *rest = path.split("/")
        is_learned = part == "statement" or (rest[:1] and rest[0] in learned)
        if not is_close(expected, value, LEARNED_TOLERANCE if is_learned else TOLERANCE):
            differences.append(f"{path}: expected {expected!r}, found {value!r}")
    assert not differences, "\n".join(differences[:20])


def test_every_method_is_covered(analyzer: Analyzer) -> None:
    for method in analyzer.methods:
        statuses = {GOLDEN[name]["findings"][method.name]["status"] for name in GOLDEN}
        assert "ok" in statuses, f"{method.name} has no finding on any picture"
        assert "failed" not in statuses
