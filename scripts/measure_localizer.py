"""Measure the localizer before and after it saw CASIA: localization, alarms on photographs, robustness.

    IMFORENSICS_DATA=/path/to/data python scripts/measure_localizer.py [--split val] [--limit N] [-j 2]
    python scripts/measure_localizer.py --into-bundle src/imforensics/bundles/localizer

The first evaluates both bundles as `imforensics evaluate` does and goes on after a stop. On the test split it
writes docs/experiments/localizer.json, .md and the curves; otherwise, or with --limit, they go to the results
folder. The second runs no evaluation: it adds the figures of both splits, and pictures of failures made from
data/samples, to the bundle that was measured.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from imforensics.models.localizer.writer import add_to_bundle, read_measurement
from localizer_failures import make_failures
from localizer_page import draw_robustness, format_page
from localizer_runs import ROOT, Facts, Trials, describe_bundle, evaluate, read_alarms, read_figures

PROTOCOLS = ("raw", "resaved_q90", "twin", "exact_twin")
PHOTOGRAPHS = ("photos", "photos_packages", "photos_edited", "photos_web")
KINDS = ("jpeg", "resize")
RESULTS = Path("runs/localizer_measured")
DOCS = ROOT / "docs"
EXPERIMENTS = DOCS / "experiments"
BUNDLES = {
    "zero_shot": Path("runs/localizer_synthesis/bundle"),
    "fine_tuned": Path("runs/localizer_casia/bundle"),  # what ships: with figures added, its digest is new
}


def main() -> None:
    """Measure both bundles, or tell one what it is worth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--zero-shot", type=Path, default=BUNDLES["zero_shot"], help="folder of a bundle")
    parser.add_argument("--fine-tuned", type=Path, default=BUNDLES["fine_tuned"], help="folder of a bundle")
    parser.add_argument("--limit", type=int, help="images of each run, for a look")
    parser.add_argument("--results", type=Path, default=RESULTS, help="below the repository")
    parser.add_argument("-j", "--workers", type=int)
    parser.add_argument("--into-bundle", type=Path, metavar="FOLDER", help="add what was measured to it")
    arguments = parser.parse_args()
    if arguments.into_bundle:
        fill_bundle(arguments.into_bundle, arguments.results)
        return
    bundles = {"zero_shot": arguments.zero_shot, "fine_tuned": arguments.fine_tuned}
    place = arguments.results / (
        f"{arguments.split}-{arguments.limit}" if arguments.limit else arguments.split
    )
    facts = measure(bundles, place, arguments.split, arguments.limit, arguments.workers)
    write(facts, place)


def write(facts: Facts, place: Path) -> None:
    """The figures, the curves and the page: into the docs where they are of the whole test split."""
    is_final = facts["split"] == "test" and not facts["limit"]
    page = (EXPERIMENTS if is_final else ROOT / place) / "localizer.md"
    picture = (DOCS / "images" if is_final else ROOT / place) / "localizer_robustness.png"
    page.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    picture.write_bytes(draw_robustness(facts["robustness"]))
    methods = json.loads((EXPERIMENTS / "methods.json").read_text(encoding="utf-8"))
    speed_file = EXPERIMENTS / "localizer_speed.json"
    speed = json.loads(speed_file.read_text(encoding="utf-8")) if speed_file.exists() else None
    shown = f"../images/{picture.name}" if is_final else picture.name
    page.write_text("\n".join(format_page(facts, methods, speed, shown)) + "\n", encoding="utf-8")


def measure(
    bundles: dict[str, Path], place: Path, split: str, limit: int | None, workers: int | None
) -> Facts:
    """Every figure of the page.

    Args:
        bundles: name to folder.
        place: of the results, below the repository.
        split: of every data set.
        limit: images of each run; None takes all.
        workers: processes.
    """
    (ROOT / place).mkdir(parents=True, exist_ok=True)
    facts: Facts = {
        "command": shlex.join(["python", "scripts/measure_localizer.py", *sys.argv[1:]]),
        "split": split,
        "limit": limit,
        "bundles": {name: describe_bundle(folder) for name, folder in bundles.items()},
        "casia1": {},
        "photographs": {},
        "robustness": {},
    }
    for name, bundle in bundles.items():
        for protocol in PROTOCOLS:
            trials = Trials("casia1", split, protocol, limit=limit, workers=workers)
            document = evaluate(bundle, trials, place / f"{protocol}-{name}")
            found = facts["casia1"].setdefault(protocol, {"shortcut": document["shortcut"]})
            found[name] = read_figures(document["methods"]["localizer"])
        for dataset in PHOTOGRAPHS:
            folder = place / f"{dataset}-{name}"
            trials = Trials(dataset, split, "raw", limit=limit, workers=workers)
            area = read_figures(evaluate(bundle, trials, folder)["methods"]["localizer"]).get("area")
            alarms = read_alarms(folder, bundle) | {"area": area}
            facts["photographs"].setdefault(dataset, {})[name] = alarms
        trials = Trials("casia1", split, "twin", KINDS, limit=limit, workers=workers)
        document = evaluate(bundle, trials, place / f"robustness-{name}")
        facts["robustness"][name] = [
            {"kind": point["condition"], "strength": point["strength"]} | read_figures(point)
            for point in document["robustness"]["localizer"]
        ]
    facts |= {"tool": document["tool"], "data": document["data"]["title"]}
    return facts | {"seed": document["protocol"]["seed"], "intervals": document["intervals"]}


def fill_bundle(bundle: Path, results: Path) -> None:
    """Add the measurements of the validation and test splits, and the failures, to a bundle.

    Raises:
        SystemExit: it was not measured, or what was measured is another network.
    """
    networks = describe_bundle(bundle.resolve())["networks"]
    measurements = []
    for split in ("val", "test"):
        path = (EXPERIMENTS if split == "test" else ROOT / results / split) / "localizer.json"
        if not path.exists():
            sys.exit(f"{path} is missing. Measure first: python scripts/measure_localizer.py --split {split}")
        measured = json.loads(path.read_text(encoding="utf-8"))["bundles"]
        names = [name for name, facts in measured.items() if facts["networks"] == networks]
        if not names:
            sys.exit(f"{path} is about other networks than {bundle}. Measure again")
        folders = [ROOT / results / split / f"{run}-{names[0]}" for run in (*PROTOCOLS, *PHOTOGRAPHS)]
        measurements += [read_measurement(folder / "metrics.json") for folder in folders]
    manifest = add_to_bundle(bundle, measurements=measurements, pictures=make_failures(bundle))
    for picture in manifest.pictures:
        print(f"{picture.file}: {picture.words}")


if __name__ == "__main__":
    main()
