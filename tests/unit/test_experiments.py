import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from imforensics.config import load_config
from imforensics.report.markdown import Table

FOLDER = Path(__file__).parents[2] / "scripts" / "experiments"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
COUNTING = """
from pathlib import Path

def look(item):
    path, value = item
    with path.open("a") as seen:
        seen.write(f"{value} ")
    if value == 3:
        raise ValueError("three")
    return [{"square": value * value}]
"""


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))  # modules of the folder import each other by plain name


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "counting.py").write_text(COUNTING)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("counting")
    del sys.modules["counting"]


def start(folder: Path, **changes: object):
    experiment = importlib.import_module("experiment")
    config = experiment.ExperimentConfig(title="A title", page="made.md", **changes)
    return experiment.Experiment("made", config, folder, workers=1, is_whole=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_can_be_read_also_quickly(name: str) -> None:
    kind = importlib.import_module("experiment").ExperimentConfig
    whole = load_config(kind, FOLDER / f"{name}.yaml")
    quick = load_config(kind, FOLDER / f"{name}.yaml", whole.quick)
    assert quick.title == whole.title
    assert whole.module is not None or whole.runs
    if whole.module is not None:
        assert "\ndef measure(experiment: Experiment) -> Iterator[Table]:\n" in (
            FOLDER / f"{whole.module}.py"
        ).read_text(encoding="utf-8")


def test_what_was_found_is_kept_until_the_options_change(tmp_path: Path, counting: ModuleType) -> None:
    seen = tmp_path / "seen.txt"
    items = {f"item {value}": (seen, value) for value in (1, 2, 3)}
    first = start(tmp_path / "out")
    assert [found["square"] for found in first.collect(counting.look, items)] == [1, 4]
    assert [reason[:32] for reason in first.lost] == ["item 3: unexpected ValueError: t"]
    again = start(tmp_path / "out")
    more = {**items, "item 4": (seen, 4)}
    assert [found["square"] for found in again.collect(counting.look, more)] == [1, 4, 16]
    assert seen.read_text().split() == ["1", "2", "3", "3", "4"]
    other = start(tmp_path / "out", options={"strength": 2})
    assert len(other.collect(counting.look, {"item 1": items["item 1"]})) == 1
    assert seen.read_text().split()[-1] == "1"


def test_a_page_names_command_data_seed_and_commit_at_its_foot(tmp_path: Path, monkeypatch) -> None:
    run = importlib.import_module("run")
    monkeypatch.setattr(sys, "argv", ["run.py", "made", "--quick"])
    experiment = start(tmp_path, seed=7, limit=3)
    experiment.sources["A set, split `test`"] = None
    experiment.lost.append("<b>: died")
    run.write_page(experiment, [Table("One", ("of", "is"), [("1", "2")])])
    text = (tmp_path / "results.md").read_text()
    assert text.startswith("# A title\n\n## One\n\n| of | is |\n|---|---:|\n| 1 | 2 |\n\n## Made with\n")
    assert "    python scripts/experiments/run.py made --quick\n" in text
    assert "Data: A set, split `test`, at most 3 pictures of each: a look, not a measurement. Seed 7." in text
    assert "No result: \\<b>: died" in text
    assert "commit " in text
    assert not (FOLDER.parents[1] / "docs" / "experiments" / "made.md").exists()


def test_intervals_are_over_groups_and_missing_values_are_left_out() -> None:
    tables = importlib.import_module("tables")
    assert tables.mean([0.5, None, 0.7]) == "0.600"
    assert tables.mean([None]) == "–"
    values, groups = [0.0, 0.0, 1.0, 1.0] * 10, ["a", "a", "b", "b"] * 10
    assert tables.mean(values, groups) == "0.500 [0.000, 1.000]"
    assert tables.auc([0.1, 0.9] * 20, [0, 1] * 20, [str(n // 2) for n in range(40)], seed=0) == (
        "1.000 [1.000, 1.000]"
    )
    assert tables.auc([0.1], [1], ["a"], seed=0) == "–"
