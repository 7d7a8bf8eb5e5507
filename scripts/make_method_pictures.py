"""Draw docs/images/methods/: what each method makes of the two scenes of scripts/scenes/.

    python scripts/make_method_pictures.py [METHOD ...]

Beside each other: the picture, and the method's map over it, by the functions that draw the report, on the
fixed range 0 to 1. A method without a map has no picture.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from PIL import Image

from imforensics.evidence import read_evidence
from imforensics.method_table import METHODS, PROFILES
from imforensics.methods import load_method
from imforensics.report.figures import display_picture, overlay, reduce_map
from make_readme_picture import lay_out

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "methods"
LONGEST = 380  # pixels, longest side of one panel
sys.path.insert(0, str(Path(__file__).with_name("scenes")))


def main() -> None:
    """Draw both scenes of the named methods, or of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", choices=[*METHODS, []], help="all without")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in parser.parse_args().methods or PROFILES["full"]:
        scenes = import_module(name)
        for kind, scene in (("hit", scenes.make_hit()), ("false_alarm", scenes.make_false_alarm())):
            draw(name, kind, scene.data, scene.name)


def draw(name: str, kind: str, data: bytes, file_name: str) -> None:
    """One picture, where the method gives a map."""
    evidence = read_evidence(data, name=file_name)
    finding = load_method(name)().analyze(evidence)
    if finding.map is None:
        print(f"{name} {kind}: no map, score {finding.score}, {finding.notes[:1]}")
        return
    shown = display_picture(evidence.pixels, longest=LONGEST)
    marked = overlay(shown, reduce_map(finding.map, mask=finding.mask, longest=LONGEST))
    path = FOLDER / f"{name}_{kind}.jpg"
    Image.fromarray(lay_out([[shown, marked]])).save(path, quality=80, optimize=True)
    print(f"{path.name}: {path.stat().st_size} bytes, score {finding.score}")


if __name__ == "__main__":
    main()
