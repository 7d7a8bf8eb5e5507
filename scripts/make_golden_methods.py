"""Write tests/golden/methods.json: what every method finds on fixed pictures.

    python scripts/make_golden_methods.py [-o FILE]

A change of these values is a change of results: it belongs into CHANGELOG under "Changed (results)".
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fixtures.golden_methods import build_full_analyzer, describe_picture, make_pictures  # noqa: E402


def main() -> None:
    """Describe every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "tests/golden/methods.json")
    target = parser.parse_args().output
    analyzer = build_full_analyzer()
    described = {name: describe_picture(analyzer, name, data) for name, data in make_pictures().items()}
    target.write_text(json.dumps(described, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{target}: {len(described)} pictures, {len(analyzer.methods)} methods each")


if __name__ == "__main__":
    main()
