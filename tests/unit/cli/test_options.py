"""The options that all training commands share."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from imforensics.cli.main import COMMANDS, main
from imforensics.cli.options import TrainingOptions, training_options

TRAINING = [name for name in COMMANDS if name.startswith("train-")]


def call(*arguments: str) -> tuple[Result, list[tuple[TrainingOptions, int | None]]]:
    """The outcome of a made command with an option of its own, and what it was called with."""
    calls: list[tuple[TrainingOptions, int | None]] = []

    @click.command
    @training_options("this and that", click.option("--workers", type=int))
    def command(options: TrainingOptions, *, workers: int | None) -> None:
        """Train what is made."""
        calls.append((options, workers))

    return CliRunner().invoke(command, arguments), calls


def test_the_command_gets_what_was_given() -> None:
    given = ["-c", "a.yaml", "--set", "b=1", "--set", "a=2", "-o", "run", "--resume", "--workers", "3", "-q"]
    result, calls = call(*given)
    assert result.exit_code == 0, result.output
    expected = TrainingOptions(
        config_path=Path("a.yaml"),
        overrides=("b=1", "a=2"),
        run_folder=Path("run"),
        resume=True,
        overwrite=False,
        quiet=True,
    )
    assert calls == [(expected, 3)]


def test_the_defaults_delete_nothing_and_show_progress() -> None:
    ((options, workers),) = call("-o", "run")[1]
    assert (options.config_path, options.overrides, workers) == (None, (), None)
    assert (options.resume, options.overwrite, options.quiet) == (False, False, False)


def test_the_help_names_the_runs_content_and_lists_own_options_in_the_middle() -> None:
    output = " ".join(call("--help")[0].output.split())
    assert "Train what is made." in output
    assert "Folder of the run: this and that. [required]" in output
    places = [output.index(name) for name in ("--config", "--set", "--output", "--resume", "--workers")]
    assert places == sorted(places)
    assert output.index("--workers") < output.index("--overwrite") < output.index("--quiet")


def test_a_run_needs_a_folder() -> None:
    result, calls = call()
    assert (result.exit_code, calls) == (2, [])
    assert "--output" in result.stderr


@pytest.mark.parametrize("name", TRAINING)
def test_keeping_and_deleting_a_run_is_wrong_usage(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = CliRunner().invoke(main, [name, "-o", str(run), "--resume", "--overwrite"])
    assert result.exit_code == 2
    assert "--resume continues the run that --overwrite deletes: use only one of them." in result.stderr
    assert f"Usage: main {name}" in result.stderr
    assert not run.exists()
