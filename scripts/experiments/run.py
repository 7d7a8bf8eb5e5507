"""Run an experiment that the documentation quotes: NAME.yaml of this folder, and its module where it has one.

    IMFORENSICS_DATA=/path/to/data python scripts/experiments/run.py NAME [--quick] [-j N] [--set limit=40]

Without a name, lists the experiments. Evaluations and records are kept in runs/experiments/NAME, and a
stopped run goes on; results.md there is the page, which a run with nothing changed on the command line also
writes to the place in docs/experiments that the YAML file names. `--quick` takes a few pictures: a look.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from importlib import import_module
from pathlib import Path

from experiment import ROOT, Experiment, ExperimentConfig
from imforensics import __version__
from imforensics.config import load_config, read_mapping
from imforensics.errors import ImforensicsError
from imforensics.metrics.intervals import CONFIDENCE, N_RESAMPLES
from imforensics.provenance import find_commit
from imforensics.report.evaluation_figures import draw_robustness
from imforensics.report.markdown import Table, for_markdown, markdown_page
from tables import TABLES, curves_of

HERE = Path(__file__).parent
MAX_LOST = 5  # named at the foot of a page; the others are counted


def main() -> None:
    """Run one experiment, or list all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?")
    parser.add_argument("--quick", action="store_true", help="a few pictures")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], help="key=value of the YAML file"
    )
    parser.add_argument("-j", "--workers", type=int)
    parser.add_argument("-o", "--output", type=Path, help="results folder")
    arguments = parser.parse_args()
    known = {path.stem: path for path in sorted(HERE.glob("*.yaml"))}
    if arguments.name is None:
        for name, path in known.items():
            print(f"{name:<22}{read_mapping(path)['title']}")
        return
    if arguments.name not in known:
        parser.error(f"there is no experiment {arguments.name!r}; known: {', '.join(known)}")
    try:
        run(known[arguments.name], arguments)
    except ImforensicsError as error:
        sys.exit(str(error))


def run(path: Path, arguments: argparse.Namespace) -> None:
    """Run the experiment of a YAML file.

    Raises:
        ImforensicsError: the file or an assignment is wrong, or data or a bundle is missing.
    """
    quick = load_config(ExperimentConfig, path).quick if arguments.quick else ()
    config = load_config(ExperimentConfig, path, [*quick, *arguments.overrides])
    place = f"{path.stem}-quick" if arguments.quick else path.stem
    folder = arguments.output or ROOT / "runs" / "experiments" / place
    is_whole = not (arguments.quick or arguments.overrides)
    experiment = Experiment(path.stem, config, folder, arguments.workers, is_whole=is_whole)
    write_page(experiment, measure(experiment))


def measure(experiment: Experiment) -> list[Table]:
    """The tables of an experiment, by its module or from its evaluations."""
    config = experiment.config
    if config.module is not None:
        return list(import_module(config.module).measure(experiment))
    evaluated = experiment.evaluate()
    tables = [table for name in config.tables for table in TABLES[name](evaluated, config.columns)]
    if config.picture is not None:
        experiment.publish(f"images/{config.picture}", draw_robustness(curves_of(evaluated)))
        link = f"../images/{config.picture}" if experiment.is_whole else config.picture
        tables.append(Table("", text=[f"![Image AUC, pixel AUC and pixel F1 over the strength]({link})"]))
    return tables


def write_page(experiment: Experiment, tables: list[Table]) -> None:
    """results.md in the folder; after a whole run of an experiment that has a page, that page too."""
    config, lost = experiment.config, experiment.lost
    limit = f", at most {config.limit} pictures of each: a look, not a measurement" if config.limit else ""
    notes = [
        f"Data: {'; '.join(experiment.sources) or 'none'}{limit}. Seed {config.seed}.",
        f"imforensics {__version__}, commit {find_commit() or 'unknown'}.",
        f"Intervals, where a figure has one in brackets: {100 * CONFIDENCE:.0f} %, percentile bootstrap of "
        f"whole source groups, {N_RESAMPLES} resamples.",
        *(for_markdown(f"No result: {reason}") for reason in lost[:MAX_LOST]),
        *([f"{len(lost)} items without a result in all."] if lost else []),
    ]
    command = f"    {shlex.join(['python', 'scripts/experiments/run.py', *sys.argv[1:]])}"
    foot = Table("Made with", text=[command], notes=notes)
    text = markdown_page(config.title, [*tables, foot], intro=config.about)
    experiment.folder.mkdir(parents=True, exist_ok=True)
    (experiment.folder / "results.md").write_text(text, encoding="utf-8")
    print(experiment.folder / "results.md")
    if experiment.is_whole and config.page is not None:
        print(experiment.publish(f"experiments/{config.page}", text.encode()))


if __name__ == "__main__":
    main()
