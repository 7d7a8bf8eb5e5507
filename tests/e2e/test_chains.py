"""What one command writes, another reads: by relative and absolute path, as folder and as file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from fixtures.textures import make_texture
from imforensics.cli.main import main

LIGHT = ("--set", "methods={metadata: {}, jpeg_structure: {}}", "--set", "fusion=null")
Naming = Callable[[Path], str]


def call(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def absolute(path: Path) -> str:
    return str(path.resolve())


def relative(path: Path) -> str:
    return str(path.resolve().relative_to(Path.cwd()))


def from_above(path: Path) -> str:
    return f"../{Path.cwd().name}/{relative(path)}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that `synthesize` made, of photographs from which every split has two."""
    place = tmp_path_factory.mktemp("chain")
    (place / "photos").mkdir()
    for number in range(8):
        Image.fromarray(make_texture(180, 220, seed=number)).save(place / "photos" / f"{number}.jpg")
    options = ("--set", "inpainting=false", "--set", "splits={train: 1, val: 1, test: 1}", "-j", 1, "-q")
    call("synthesize", place / "photos", "-o", place / "made", "--count", 8, "--size", "96x128", *options)
    return place / "made"


@pytest.fixture(autouse=True)
def work_beside(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.parent)


@pytest.mark.parametrize("name_it", [relative, absolute, from_above])
@pytest.mark.parametrize("part", ["", "manifest.csv"])
def test_synthesize_then_audit(made: Path, name_it: Naming, part: str) -> None:
    place = name_it(made / part)
    document = json.loads(call("audit", place, "--json", "-q").stdout)
    assert document["integrity"]["tampered_count"] == 8
    assert document["integrity"]["unreadable_images"] == {}


def test_audit_against_what_synthesize_made(made: Path, tmp_path: Path) -> None:
    again = call(
        "audit", "made", "--against", f"folder={absolute(made / 'manifest.csv')}", "-o", tmp_path / "a"
    )
    assert "byte-identical: 16" in again.stdout
    assert (tmp_path / "a" / "audit.html").is_file()


def test_a_manifest_of_images_elsewhere_is_audited(made: Path, tmp_path: Path) -> None:
    rows = ["image,label,group"]
    for number in range(4):
        rows += [f"{made}/{kind}/{path.name},{kind},{number}" for kind, path in _pair(made, number)]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert "4 authentic, 4 tampered" in call("audit", tmp_path / "manifest.csv", "-q").stdout


def _pair(made: Path, number: int) -> list[tuple[str, Path]]:
    return [(kind, next((made / kind).glob(f"{number:06}.*"))) for kind in ("authentic", "tampered")]


@pytest.mark.parametrize("name_it", [relative, absolute])
@pytest.mark.parametrize("part", ["", "manifest.csv"])
def test_synthesize_then_evaluate(made: Path, tmp_path: Path, name_it: Naming, part: str) -> None:
    arguments = ("evaluate", "--method", "ela", "--dataset", "folder", "--root", name_it(made / part))
    arguments += ("--split", "all", "--protocol", "twin", "--set", "resamples=100", "-j", 1, "-q")
    first = json.loads(call(*arguments, "-o", tmp_path / "out", "--json").stdout)
    assert first["methods"]["ela"]["counts"]["ok"] == 16
    again = json.loads(call(*arguments, "-c", tmp_path / "out" / "config.yaml", "--json").stdout)
    assert again["methods"]["ela"]["detection"] == first["methods"]["ela"]["detection"]


@pytest.mark.parametrize("bundle", ["casia1_gan", "casia1_residual_autoencoder", "casia1_ela_cnn_twin"])
def test_every_kind_of_bundle_is_evaluated(made: Path, bundle: str) -> None:
    arguments = ("evaluate", "--bundle", bundle, "--dataset", "folder", "--root", "made", "--split", "all")
    document = json.loads(call(*arguments, "--limit", 4, "-j", 1, "-q", "--json").stdout)
    ((name, found),) = document["methods"].items()
    assert name.endswith(bundle)
    assert found["counts"]["ok"] == 4


@pytest.mark.parametrize("name_it", [relative, absolute])
def test_synthesize_then_analyze_and_scan(made: Path, tmp_path: Path, name_it: Naming) -> None:
    call("analyze", name_it(_pair(made, 0)[1][1]), *LIGHT, "-o", tmp_path / "report")
    rows = [
        json.loads(line) for line in call("scan", name_it(made), *LIGHT, "-j", 1, "-q").stdout.splitlines()
    ]
    assert len(rows) == 24
    assert {row["status"] for row in rows} == {"ok"}
    call("scan", tmp_path / "report", *LIGHT, "-j", 1, "-q")


def test_the_configuration_of_a_report_repeats_it(made: Path, tmp_path: Path) -> None:
    image = _pair(made, 0)[1][1]
    first = json.loads(call("analyze", image, *LIGHT, "-o", tmp_path / "report", "--json").stdout)
    config = tmp_path / "report" / "config.yaml"
    assert (
        json.loads(call("analyze", image, "-c", config, "--json").stdout)["result_digest"]
        == (first["result_digest"])
    )
    row = json.loads(call("scan", image, "-c", config, "-j", 1, "-q").stdout)
    assert [finding["method"] for finding in row["findings"]] == ["metadata", "jpeg_structure"]
    call("config", "check", config)


def test_the_configuration_of_a_set_makes_it_again(made: Path, tmp_path: Path) -> None:
    arguments = ("synthesize", "photos", "-o", tmp_path / "again", "--count", 2, "-j", 1, "-q")
    call(*arguments, "-c", made / "config.yaml")
    for kind, path in _pair(made, 1):
        assert (tmp_path / "again" / kind / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "command", ["analyze", "scan", "evaluate", "synthesize", "train-detector", "train-gan", "train-fusion"]
)
def test_a_configuration_that_is_shown_is_valid(tmp_path: Path, command: str) -> None:
    shown = call("config", "show", "--for", command).stdout
    path = tmp_path / "shown.yaml"
    path.write_text(shown, encoding="utf-8")
    call("config", "check", "--for", command, path)
    assert call("config", "show", "--for", command, path).stdout == shown


def test_a_shown_configuration_is_taken(made: Path, tmp_path: Path) -> None:
    image = _pair(made, 0)[0][1]
    for command in ("analyze", "scan"):
        path = tmp_path / f"{command}.yaml"
        path.write_text(
            call("config", "show", "--for", command, "--profile", "fast").stdout, encoding="utf-8"
        )
        call(command, image, "-c", path)
