"""The command `curves` on made logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from imforensics.cli.main import main


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["curves", *arguments], catch_exceptions=False)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    fit, gan = tmp_path / "fit", tmp_path / "gan"
    for folder in (fit, gan):
        folder.mkdir()
    rows = [f"{n},{0.5 + 0.5 / n},{0.6 + 0.5 / n}" for n in range(1, 31)]
    (fit / "training_log.csv").write_text("\n".join(["epoch,mse,val_mse", *rows]))
    rows = [f"{n},0.9,0.5,0.5,{0.3 if n == 30 else ''}" for n in range(1, 31)]
    header = "epoch,generator,discriminator_real,discriminator_fake,diversity"
    (gan / "training_log.csv").write_text("\n".join([header, *rows]))
    return fit, gan


def test_readings_are_printed(runs: tuple[Path, Path]) -> None:
    result = call(*map(str, runs))
    assert result.exit_code == 0
    assert "fit, training: converging" in result.output
    assert "gan, training: mode collapse" in result.output


def test_json_and_picture(runs: tuple[Path, Path], tmp_path: Path) -> None:
    picture = tmp_path / "out.png"
    result = call(*map(str, runs), "-o", str(picture), "--json")
    assert result.exit_code == 0
    document = json.loads(result.output)
    assert [entry["verdict"] for entry in document["runs"]] == ["converging", "mode_collapse"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    refused = call(str(runs[0]), "-o", str(picture))
    assert refused.exit_code == 1
    assert "--overwrite" in refused.output
    assert call(str(runs[0]), "-o", str(picture), "--overwrite").exit_code == 0
    with Image.open(picture) as image:
        image.load()
        assert image.format == "PNG"


def test_only_its_own_picture_is_overwritten(runs: tuple[Path, Path], tmp_path: Path) -> None:
    picture = tmp_path / "out.png"
    assert call(str(runs[0]), "-o", str(picture)).exit_code == 0
    changed = picture.read_bytes().replace(b"IHDR", b"IHDr")
    log = runs[0] / "training_log.csv"
    for path, content in ((tmp_path / "photo.png", b"mine"), (picture, changed), (log, log.read_bytes())):
        path.write_bytes(content)
        result = call(str(runs[0]), "-o", str(path), "--overwrite")
        assert result.exit_code == 1
        assert "was not written by `curves`, or was changed" in result.output
        assert path.read_bytes() == content


def test_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    result = call(str(tmp_path))
    assert result.exit_code == 1
    assert "holds no training_log.csv" in result.output
    assert call(str(tmp_path / "missing")).exit_code == 2
