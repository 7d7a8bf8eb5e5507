"""`config show` and `config check`: every shipped file, every command, both kinds of detectors."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from imforensics.cli.config import CONFIGS
from imforensics.cli.main import main

FILES = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))
COMMANDS = {"train_localizer": "train-detector"} | {name.replace("-", "_"): name for name in CONFIGS}


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["config", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid_for_its_command(path: Path) -> None:
    command = COMMANDS[max((start for start in COMMANDS if path.stem.startswith(start)), key=len)]
    result = call("check", "--for", command, path)
    assert result.exit_code == 0, result.output
    assert f"valid configuration for {command}" in result.output


def test_every_command_with_a_configuration_has_a_file() -> None:
    assert all(
        any(path.stem.startswith(start) for path in FILES) for start in COMMANDS if start != "evaluate"
    )


@pytest.mark.parametrize("command", CONFIGS)
def test_the_defaults_of_every_command_are_valid(command: str, tmp_path: Path) -> None:
    shown = call("show", "--for", command)
    assert shown.exit_code == 0, shown.output
    path = tmp_path / "shown.yaml"
    path.write_text(shown.stdout)
    assert call("check", "--for", command, path).exit_code == 0


def test_both_kinds_of_detectors_are_shown() -> None:
    assert yaml.safe_load(call("show", "--for", "train-detector").stdout)["kind"] == "classifier"
    shown = yaml.safe_load(call("show", "--for", "train-detector", "--set", "kind=localizer").stdout)
    assert shown["kind"] == "localizer"
    assert shown["network"]["streams"] == ["traces", "noise"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: [a]", "kind must be one of classifier, localizer, received ['a']"),
        ("kind: localizer\npairs: twin", "pairs: unknown key"),
        ("data: {pairs: 3}", "data: unknown key"),
    ],
)
def test_wrong_configurations_of_detectors_are_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    result = call("check", "--for", "train-detector", path)
    assert result.exit_code == 2
    assert words in result.stderr
