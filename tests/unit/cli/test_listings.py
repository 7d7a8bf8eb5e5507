"""The commands that tell what there is: methods, datasets, config, doctor, completion."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from imforensics.cli.main import COMMANDS, main
from imforensics.config import AnalyzeConfig, ScanConfig, load_config
from imforensics.datasets.base import list_adapters
from imforensics.methods import METHODS, load_method

ROOT = Path(__file__).parents[3]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = invoke(name, "--help")
    assert result.exit_code == 0, result.output
    assert f"imforensics {name}" in result.output.split("Examples:")[1]


def test_the_overview_lists_every_command() -> None:
    output = invoke("--help").output
    assert all(f"  {name} " in output for name in COMMANDS)


def test_an_unknown_command_is_wrong_usage() -> None:
    assert invoke("analyse").exit_code == 2


def test_methods_lists_all_and_json_agrees() -> None:
    lines = invoke("methods").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(METHODS)
    documents = json.loads(invoke("methods", "--json").stdout)
    assert [document["name"] for document in documents] == list(METHODS)
    ela = next(document for document in documents if document["name"] == "ela")
    assert "quality" in ela["options"]


@pytest.mark.parametrize("name", METHODS)
def test_explain_says_idea_limits_and_source(name: str) -> None:
    output = " ".join(invoke("methods", "--explain", name).stdout.split())
    method = load_method(name)
    for text in (method.idea, method.limitations, method.reference.citation):
        assert " ".join(text.split()) in output


def test_a_method_in_no_profile_is_listed_and_explained_as_run_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(METHODS, "ela", METHODS["ela"]._replace(profile=None))
    (line,) = (line for line in invoke("methods").stdout.splitlines() if line.startswith("ela "))
    assert line.split()[2] == "-"
    (document,) = (d for d in json.loads(invoke("methods", "--json").stdout) if d["name"] == "ela")
    assert document["profile"] is None
    explained = invoke("methods", "--explain", "ela").stdout
    assert "--set methods.ela={}" in explained
    assert "docs/methods/" not in explained


def test_an_unknown_method_is_wrong_usage_that_lists_the_known() -> None:
    result = invoke("methods", "--explain", "ele")
    assert result.exit_code == 2
    assert "wavelet_noise" in result.stderr


def test_datasets_lists_all_and_explains_one() -> None:
    assert [line.split()[0] for line in invoke("datasets").stdout.splitlines()] == list(list_adapters())
    assert "groundtruth/" in invoke("datasets", "--explain", "casia1").stdout
    assert {card["name"] for card in json.loads(invoke("datasets", "--json").stdout)} == set(list_adapters())
    assert invoke("datasets", "--explain", "casia").exit_code == 2


def test_config_show_spells_out_every_option_and_loads_again(tmp_path: Path) -> None:
    shown = invoke("config", "show", "--set", "methods.ela.quality=75")
    assert yaml.safe_load(shown.stdout)["methods"]["ela"]["quality"] == 75
    (tmp_path / "a.yaml").write_text(shown.stdout)
    assert invoke("config", "check", str(tmp_path / "a.yaml")).exit_code == 0


def test_config_show_takes_a_profile_where_the_command_runs_methods() -> None:
    shown = invoke("config", "show", "--profile", "fast")
    assert "wavelet_noise" not in yaml.safe_load(shown.stdout)["methods"]
    refused = invoke("config", "show", "--for", "train-detector", "--profile", "fast")
    assert refused.exit_code == 2
    assert "not for train-detector" in refused.stderr


def test_config_check_reports_every_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("max_pixel: 3\ntimeout_second: 3\n")
    result = invoke("config", "check", "--for", "scan", str(tmp_path / "a.yaml"))
    assert result.exit_code == 2
    assert "did you mean max_pixels?" in result.stderr
    assert "did you mean timeout_seconds?" in result.stderr


def test_the_example_configurations_are_the_defaults() -> None:
    assert load_config(AnalyzeConfig, ROOT / "configs" / "analyze.yaml") == AnalyzeConfig()
    assert load_config(ScanConfig, ROOT / "configs" / "scan.yaml") == ScanConfig()


def test_doctor_finds_this_installation_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMFORENSICS_DATA", raising=False)
    result = invoke("doctor")
    assert result.exit_code == 0, result.output
    assert "BROKEN" not in result.stdout
    assert "bundle " in result.stdout
    assert "methods ran on a synthetic test image" in result.stdout


def test_doctor_names_what_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMFORENSICS_DATA", str(tmp_path / "gone"))
    result = invoke("doctor", "--json")
    assert result.exit_code == 1
    broken = [check for check in json.loads(result.stdout) if check["verdict"] == "broken"]
    assert [check["subject"] for check in broken] == ["data sets"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script_of_the_shell(shell: str) -> None:
    assert "_IMFORENSICS_COMPLETE" in invoke("completion", shell).stdout
