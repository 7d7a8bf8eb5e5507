"""`imforensics analyze` through its command group: what is printed, what is written, which exit code."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from imforensics.cli.main import main
from imforensics.method_table import PROFILES


def analyze(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["analyze", *map(str, arguments)], input=stdin)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    coarse = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    path = tmp_path / "photo.jpg"
    Image.fromarray(coarse).resize((200, 150), Image.Resampling.BICUBIC).save(path, quality=88)
    return path


def test_one_line_a_file(photo: Path) -> None:
    other = photo.rename(photo.with_name("other.jpg"))
    photo.write_bytes(other.read_bytes())
    result = analyze(photo, other)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("photo.jpg: ")


def test_json_is_one_document_a_line(photo: Path) -> None:
    document = json.loads(analyze(photo, "--json").stdout)
    assert document["schema_version"] == "1.1"
    assert document["label"] in {"authentic", "tampered", "inconclusive"}
    assert [f["method"] for f in document["findings"]] == list(PROFILES["default"])
    assert all({"method", "family", "status", "score"} <= set(f) for f in document["findings"])
    assert not [f for f in document["findings"] if f["status"] == "failed"]


def test_the_report_folder_holds_page_document_pictures_and_maps(photo: Path, tmp_path: Path) -> None:
    result = analyze(photo, "-o", tmp_path / "out", "--save-maps")
    assert result.exit_code == 0, result.output
    assert str(tmp_path / "out" / "report.html") in result.stdout
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert document["evidence"]["width"] == 200
    ela = np.load(tmp_path / "out" / "maps" / "ela.npy")
    assert ela.dtype == np.float32
    assert ela.shape == (150, 200)
    assert list((tmp_path / "out" / "images").glob("*.png"))


def test_an_existing_report_is_not_overwritten_unless_told(photo: Path, tmp_path: Path) -> None:
    assert analyze(photo, "-o", tmp_path / "out").exit_code == 0
    again = analyze(photo, "-o", tmp_path / "out")
    assert again.exit_code == 1
    assert "or overwrite it" in again.stderr
    assert analyze(photo, "-o", tmp_path / "out", "--overwrite").exit_code == 0


def test_a_file_that_is_named_twice_is_analyzed_once(photo: Path, tmp_path: Path) -> None:
    result = analyze(photo, tmp_path / "." / "photo.jpg", photo, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.count("analyzed once") == 2
    assert (tmp_path / "out" / "report.html").is_file()


def test_copies_of_one_name_share_a_report(photo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / photo.name
    copy.parent.mkdir()
    copy.write_bytes(photo.read_bytes())
    result = analyze(photo, copy, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 2
    assert len(list((tmp_path / "out").glob("*/report.html"))) == 1


@pytest.mark.parametrize("arguments", [("analyze", "a.jpg", "-o", ""), ("scan", ""), ("scan", "a", "-o", "")])
def test_an_empty_path_is_wrong_usage_and_not_the_current_folder(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "path is empty" in result.stderr


def test_several_files_get_a_folder_each(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.open(photo).save(other)
    assert analyze(photo, other, "-o", tmp_path / "out").exit_code == 0
    assert len(list((tmp_path / "out").glob("*/report.html"))) == 2


def test_standard_input(photo: Path) -> None:
    result = analyze("-", "--json", stdin=photo.read_bytes())
    assert json.loads(result.stdout)["evidence"]["name"] == "-"


def test_a_png_gets_no_jpeg_finding(photo: Path, tmp_path: Path) -> None:
    png = tmp_path / "photo.png"
    Image.open(photo).save(png)
    document = json.loads(analyze(png, "--json").stdout)
    by_method = {f["method"]: f for f in document["findings"]}
    assert by_method["jpeg_structure"]["status"] == "not_applicable"
    assert document["label"] == "inconclusive"


def test_an_unreadable_file_is_an_error_and_the_others_go_on(photo: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    result = analyze(text, tmp_path / "none.jpg", photo)
    assert result.exit_code == 1
    assert result.stdout.startswith("photo.jpg: ")
    assert result.stderr.count("Error: ") == 2


def test_an_error_is_a_document_in_json(tmp_path: Path) -> None:
    result = analyze(tmp_path / "none.jpg", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["status"] == "error"
    assert "none.jpg" in document["error"]


def test_max_pixels_is_named_when_it_refuses(photo: Path) -> None:
    result = analyze(photo, "--set", "max_pixels=100")
    assert result.exit_code == 1
    assert "max_pixels" in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--set", "methods.ela.qualty=3"], ["--set", "max_pixels=-1"], ["-c", "none.yaml"]]
)
def test_a_wrong_configuration_is_exit_code_two(photo: Path, arguments: list[str]) -> None:
    result = analyze(photo, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")


def test_save_maps_needs_a_folder(photo: Path) -> None:
    assert analyze(photo, "--save-maps").exit_code == 2


def test_hostile_names_do_not_reach_the_terminal_raw(photo: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "x\x1b[31m\u202ephoto.jpg"
    hostile.write_bytes(photo.read_bytes())
    output = analyze(hostile).output
    assert "\x1b" not in output
    assert "\u202e" not in output
