"""What each stream of the localizer is worth: the same budget and seeds, raw files and twins of CASIA v1.

    IMFORENSICS_DATA=/path/to/data python scripts/ablate_localizer.py \\
        [--variants rgb ela wavelet dct noise dct+noise] [--seeds 20240 ...] [--set fit.steps=100] [-j 2]

Trains with `imforensics train-detector -c configs/train_localizer_ablation.yaml`, evaluates with
`imforensics evaluate`, and goes on after a stop. The test split of all six variants goes to
docs/experiments/localizer_ablation.md and .json; anything less to the results folder.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from imforensics.config import config_digest, load_config
from imforensics.models.bundle.files import MANIFEST_FILE
from imforensics.models.localizer.config import TrainLocalizerConfig
from imforensics.models.training.run import CONFIG_FILE
from localizer_runs import ROOT, RUN, Facts, Trials, describe_bundle, evaluate, read_figures, show, table

CONFIG = Path("configs/train_localizer_ablation.yaml")
RESULTS = Path("runs/localizer_ablation")
PAGE = ROOT / "docs" / "experiments" / "localizer_ablation.md"
PROTOCOLS = ("raw", "twin")
VARIANTS = {
    "rgb": ("rgb",),
    "ela": ("ela",),
    "wavelet": ("wavelet",),
    "dct": ("traces",),
    "noise": ("noise",),
    "dct+noise": ("traces", "noise"),
}
SEED = 20240
COLUMNS = {"pixel_auc": "pixel AUC", "f1_fixed": "F1", "f1_best": "F1 best", "image_auc": "image AUC"}


def main() -> None:
    """Train, evaluate, write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", nargs="*", type=int, default=[SEED])
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="of the training")
    parser.add_argument("--limit", type=int, help="images of each evaluation, for a look")
    parser.add_argument("--results", type=Path, default=RESULTS, help="below the repository")
    parser.add_argument("-j", "--workers", type=int)
    arguments = parser.parse_args()
    facts: Facts = {
        "command": shlex.join(["python", "scripts/ablate_localizer.py", *sys.argv[1:]]),
        "config": CONFIG.as_posix(),
        "settings": arguments.settings,
        "split": arguments.split,
        "limit": arguments.limit,
        "runs": [],
    }
    for seed in arguments.seeds:
        for variant in arguments.variants:
            run = arguments.results / f"{variant.replace('+', '_')}-{seed}"
            train(run, VARIANTS[variant], seed, arguments.settings)
            facts["runs"].append(measure(run, variant, seed, arguments))
    facts |= facts["runs"][-1].pop("document")
    for run_facts in facts["runs"]:
        run_facts.pop("document", None)
    is_whole = arguments.split == "test" and not arguments.limit and set(arguments.variants) == set(VARIANTS)
    page = PAGE if is_whole else ROOT / arguments.results / PAGE.name
    page.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    page.write_text("\n".join(format_page(facts)) + "\n", encoding="utf-8")
    print(page)


def train(run: Path, streams: tuple[str, ...], seed: int, settings: list[str]) -> None:
    """Train one variant, or go on with it; a finished run is left as it is.

    Raises:
        SystemExit: a finished run is of other settings.
    """
    sets = [f"network.streams=[{', '.join(streams)}]", f"seed={seed}", *settings]
    if (ROOT / run / "bundle" / MANIFEST_FILE).exists():
        wanted = load_config(TrainLocalizerConfig, ROOT / CONFIG, sets)
        if describe_bundle(run / "bundle")["config_digest"] != config_digest(wanted.model_dump(mode="json")):
            sys.exit(f"{run} was trained with other settings. Name another folder with --results")
        return
    command = [sys.executable, "-c", RUN, "train-detector", "-c", str(CONFIG), "-o", str(run)]
    command += [f"--set={text}" for text in sets]
    command += ["--resume"] if (ROOT / run / CONFIG_FILE).exists() else []
    print(f"{run}: {' + '.join(streams)}, seed {seed}", flush=True)
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def measure(run: Path, variant: str, seed: int, arguments: argparse.Namespace) -> Facts:
    """Figures of one trained variant; `document` holds what is the same for all."""
    bundle, split = run / "bundle", arguments.split
    limit = arguments.limit
    found: Facts = {"variant": variant, "seed": seed, "bundle": describe_bundle(bundle), "protocols": {}}
    for protocol in PROTOCOLS:
        trials = Trials("casia1", split, protocol, limit=limit, workers=arguments.workers)
        place = arguments.results / f"{split}-{limit or 'all'}" / f"{protocol}-{run.name}"
        document = evaluate(bundle, trials, place)
        found["protocols"][protocol] = read_figures(document["methods"]["localizer"])
    same = {"tool": document["tool"], "data": document["data"]["title"], "intervals": document["intervals"]}
    return found | {"document": same}


def format_page(facts: Facts) -> Iterator[str]:
    """The lines of the page."""
    tool, intervals, runs = facts["tool"], facts["intervals"], facts["runs"]
    steps = sorted({run["bundle"]["steps"] for run in runs})
    limit = f", at most {facts['limit']} images: a look, not a measurement" if facts["limit"] else ""
    yield "# Performance of each input stream of the localizer\n"
    yield "Made by `scripts/ablate_localizer.py`; do not edit. The same network behind each set of streams,"
    yield "trained with one configuration, one budget and the same pictures, far shorter than the one that"
    yield "ships: the rows are to be compared with each other. *dct* reads the quantized coefficients"
    yield "against the picture's own histograms, *noise* the pixels minus their 3x3 mean, *rgb* the pixels,"
    yield "*ela* the ELA residual at quality 90, *wavelet* the wavelet noise residual.\n"
    yield f"- Command: `{facts['command']}`;"
    yield f"  imforensics {tool['version']}, commit {tool['commit'] or 'unknown'}."
    yield f"- Trained by `{facts['config']}`{''.join(f', {text}' for text in facts['settings'])}:"
    yield f"  {' or '.join(map(str, steps))} steps, seed"
    yield f"  {', '.join(map(str, sorted({r['seed'] for r in runs})))}."
    yield f"- Data: {facts['data']}, split `{facts['split']}` by source group{limit}. F1 is at the"
    yield "  threshold that was chosen on the validation split, F1 best at each image's best threshold,"
    yield "  knowing the truth."
    yield f"- Intervals: {100 * intervals['confidence']:.0f} %, bootstrap over source groups,"
    yield f"  {intervals['resamples']} resamples; they hold the choice of images, not that of the seed."
    for protocol in PROTOCOLS:
        counts = runs[0]["protocols"][protocol]
        yield f"\n## {protocol}\n"
        yield f"{counts['n_tampered']} tampered and {counts['n_authentic']} authentic pictures.\n"
        yield from table(["streams", "weights", "seed", *COLUMNS.values()], list(_rows(runs, protocol)))


def _rows(runs: list[Facts], protocol: str) -> Iterator[list[str]]:
    for variant in dict.fromkeys(run["variant"] for run in runs):
        own = [run for run in runs if run["variant"] == variant]
        for run in own:
            figures = [show(run["protocols"][protocol].get(column)) for column in COLUMNS]
            yield [variant, str(run["bundle"]["parameters"]), str(run["seed"]), *figures]
        if len(own) > 1:
            yield [variant, "", "mean (range)", *(_spread(own, protocol, column) for column in COLUMNS)]


def _spread(runs: list[Facts], protocol: str, column: str) -> str:
    values = [run["protocols"][protocol][column]["value"] for run in runs]
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


if __name__ == "__main__":
    main()
