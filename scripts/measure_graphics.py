"""How many photographs would be taken for a drawing or a graphic, on which nothing is stated?

    IMFORENSICS_DATA=/path/to/data python scripts/measure_graphics.py casia1 casia2 photos photos_web

Counts the pictures of each set, all splits and both labels, that `describe_graphic` names.
"""

from __future__ import annotations

import argparse
from collections import Counter

from imforensics.datasets.base import load_dataset
from imforensics.datasets.rasters import read_rgb
from imforensics.metrics.evidence_classes import describe_graphic


def main() -> None:
    """Count and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="+")
    print("| set | pictures | mostly of one colour | few colours |\n|---|---|---|---|")
    for name in parser.parse_args().datasets:
        samples = load_dataset(name).samples
        clauses = (describe_graphic(read_rgb(sample.image_path)) for sample in samples)
        kinds = Counter("flat" if "blocks" in clause else "few" for clause in clauses if clause is not None)
        print(f"| {name} | {len(samples)} | {kinds['flat']} | {kinds['few']} |")


if __name__ == "__main__":
    main()
