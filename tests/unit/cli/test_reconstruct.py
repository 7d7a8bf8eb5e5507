"""The command `reconstruct` with the shipped residual autoencoder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from fixtures.synthetic import make_jpeg, make_photo_like
from imforensics.cli.main import main
from imforensics.metrics.similarity import mse, ssim
from imforensics.pipeline.reconstruct import reconstruct

BUNDLE = "casia1_residual_autoencoder"


def call(*arguments: str, content: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["reconstruct", *arguments], input=content, catch_exceptions=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(make_jpeg(96, 130))
    return path


def test_pictures_and_record(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call(str(photo), "-o", str(out), "--bundle", BUNDLE, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout.splitlines()[0])
    assert document == json.loads((out / "reconstruction.json").read_text())
    assert document["bundle"]["kind"] == "autoencoder"
    assert document["extent"]["threshold_policy"] == "far_2pct"
    assert any("TensorFlow was not needed" in note for note in document["notes"])
    with Image.open(out / "side_by_side.png") as picture:
        assert picture.width > 3 * 130
    refused = call(str(photo), "-o", str(out), "--bundle", BUNDLE)
    assert refused.exit_code == 1
    assert "or overwrite it" in refused.output
    told = call(str(photo), "-o", str(out), "--bundle", BUNDLE, "--overwrite")
    assert "of the area, in" in told.output


def test_figures_are_those_of_the_reconstruction(tmp_path: Path) -> None:
    pixels = make_photo_like(64, 80, seed=2)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    found = reconstruct(path, bundle=BUNDLE)
    assert found.made.shape == pixels.shape
    assert found.similarity["mse"] == pytest.approx(mse(pixels / 255, found.made / 255), rel=0.01)
    weights = [0.299, 0.587, 0.114]
    wanted = ssim(pixels / 255 @ weights, found.made / 255 @ weights)
    assert found.similarity["ssim"] == pytest.approx(wanted, abs=2e-3)
    assert 0.5 < wanted < 1, "it is near the picture, and not the picture"


def test_a_flat_picture_has_nothing_to_mark(tmp_path: Path) -> None:
    path = tmp_path / "flat.png"
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(path)
    result = call(str(path), "--bundle", BUNDLE, "--json")
    document = json.loads(result.stdout.splitlines()[0])
    assert document["extent"]["marked_share"] == 0
    assert document["similarity"]["mse"] < 1e-4


def test_standard_input(photo: Path) -> None:
    result = call("-", "--bundle", BUNDLE, "--json", content=photo.read_bytes())
    assert json.loads(result.stdout.splitlines()[0])["file"] == "-"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--mode", "guess"], 2, "expected one of noise, search"),
        (["--view", "half"], 2, "expected one of whole, patches"),
        (["--bundle", BUNDLE, "--mode", "encoder"], 2, "is an autoencoder"),
        (["--bundle", "nothing"], 1, "No bundle named 'nothing'"),
        (["--bundle", "casia1_ela_cnn_twin"], 1, "train-gan or train-autoencoder"),
    ],
)
def test_wrong_usage_is_told(photo: Path, arguments: list[str], code: int, message: str) -> None:
    result = call(str(photo), *arguments)
    assert result.exit_code == code
    assert message in result.output


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    tiny = tmp_path / "tiny.png"
    Image.fromarray(np.zeros((8, 40, 3), np.uint8)).save(tiny)
    for path, message in ((text, "text.jpg"), (tiny, "at least 16"), (tmp_path / "none", "none")):
        result = call(str(path), "--bundle", BUNDLE)
        assert result.exit_code == 1
        assert message in result.output


def test_tensorflow_is_never_imported(photo: Path) -> None:
    program = (
        "import sys; from imforensics.cli.main import main; "
        f"main(['reconstruct', {str(photo)!r}, '--bundle', {BUNDLE!r}], standalone_mode=False); "
        "print(sorted({'tensorflow', 'keras', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
