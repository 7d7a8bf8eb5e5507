import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

import imforensics.report.writers as writers_module
from imforensics.config import AnalyzeConfig, load_config
from imforensics.errors import OutputExistsError
from imforensics.outputs import MARKER
from imforensics.report.escaping import for_page
from imforensics.report.words import shorten
from imforensics.report.writers import write_report
from imforensics.types import Artifact, MethodDescription, Report

from .conftest import HOSTILE

Descriptions = dict[str, MethodDescription]


class Page(HTMLParser):
    """What a page holds, as a parser sees it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self._last = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._last = tag

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self._last, []).append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def structure(page: Page) -> list[str]:
    """The elements in order, without those whose number follows from the text."""
    return [tag for tag, _ in page.elements]


def test_folder_holds_what_is_documented(report: Report, descriptions: Descriptions, tmp_path: Path) -> None:
    files = write_report(report, descriptions, tmp_path / "new" / "out", save_maps=True)
    names = sorted(str(path.relative_to(files.folder)) for path in files.folder.rglob("*") if path.is_file())
    assert names == [
        ".imforensics-output.jsonl",
        "config.yaml",
        "images/ela-map.png",
        "images/ela-overlay.png",
        "images/ela-residual.png",
        "images/noise-map.png",
        "images/noise-overlay.png",
        "images/original.png",
        "manifest.json",
        "maps/ela.npy",
        "maps/noise.npy",
        "maps/noise.valid.npy",
        "report.html",
        "report.json",
    ]
    assert list(files.folder.parent.iterdir()) == [files.folder]


def test_maps_are_the_raw_values(report: Report, descriptions: Descriptions, tmp_path: Path) -> None:
    files = write_report(report, descriptions, tmp_path / "out", save_maps=True)
    values = np.load(files.folder / "maps" / "noise.npy", allow_pickle=False)
    assert values.dtype == np.float32
    assert np.array_equal(values, report.findings[2].map.values)
    assert np.array_equal(np.load(files.folder / "maps" / "noise.valid.npy"), report.findings[2].map.valid)


def test_manifest_has_the_hash_of_every_file(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    files = write_report(report, descriptions, tmp_path / "out")
    manifest = json.loads(files.manifest.read_text())
    found = {str(p.relative_to(files.folder)): p for p in files.folder.rglob("*") if p.is_file()}
    assert set(manifest["files"]) == set(found) - {"manifest.json", MARKER}
    for name, facts in manifest["files"].items():
        content = found[name].read_bytes()
        assert facts == {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    listed = {each["path"] for each in json.loads(files.json.read_text())["files"]}
    assert listed == set(found) - {"manifest.json", "report.json", "report.html", MARKER}


def test_config_can_be_loaded_again(report: Report, descriptions: Descriptions, tmp_path: Path) -> None:
    files = write_report(report, descriptions, tmp_path / "out")
    config = load_config(AnalyzeConfig, files.folder / "config.yaml")
    assert config.max_pixels == 1000
    assert yaml.safe_load((files.folder / "config.yaml").read_text()) == {
        "max_pixels": 1000,
        "methods": {"ela": {"quality": 90}},
    }


def test_nothing_is_overwritten_unless_told(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    write_report(report, descriptions, folder, save_maps=True)
    with pytest.raises(OutputExistsError, match="or overwrite it"):
        write_report(report, descriptions, folder)
    write_report(report, descriptions, folder, overwrite=True)
    assert not (folder / "maps").exists()
    assert (folder / "manifest.json").exists()


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_of_someone_else_is_left_alone(
    overwrite: bool, report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match=r"'holiday\.jpg', which imforensics did not write"):
        write_report(report, descriptions, tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_file_in_the_way(report: Report, descriptions: Descriptions, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputExistsError, match="is a file"):
        write_report(report, descriptions, tmp_path / "out", overwrite=True)


def test_the_current_folder(
    report: Report, descriptions: Descriptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_report(report, descriptions, Path())
    assert (tmp_path / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [MARKER]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_failure_leaves_nothing(
    is_new: bool, report: Report, descriptions: Descriptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    if not is_new:
        folder.mkdir()

    def fail(*_: object) -> str:
        raise OSError("no space left on device")

    monkeypatch.setattr(writers_module, "render_report", fail)
    with pytest.raises(OSError, match="no space"):
        write_report(report, descriptions, folder)
    assert list(tmp_path.rglob("*")) == ([] if is_new else [folder])


@pytest.mark.parametrize("name", ["../evil", "a/b", "A", "", "x.png", "nul\0"])
def test_artifact_names_are_fixed_words(
    name: str, report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    picture = Artifact(np.zeros((4, 4), dtype=np.uint8), "")
    findings = (replace(report.findings[1], artifacts={name: picture}),)
    with pytest.raises(ValueError, match="would become a file name"):
        write_report(replace(report, findings=findings), descriptions, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_artifact_must_not_take_the_name_of_the_map(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    picture = Artifact(np.zeros((4, 4), dtype=np.uint8), "")
    findings = (replace(report.findings[1], artifacts={"map": picture}),)
    with pytest.raises(ValueError, match="several pictures"):
        write_report(replace(report, findings=findings), descriptions, tmp_path / "out")


def read_page(report: Report, descriptions: Descriptions, folder: Path) -> tuple[str, Page]:
    text = write_report(report, descriptions, folder).html.read_text("utf-8")
    return text, Page(text)


def test_policy_comes_first_and_allows_only_our_own(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    text, page = read_page(report, descriptions, tmp_path / "out")
    head = [element for element in page.elements if element[0] not in ("html", "head")]
    assert head[0][1]["http-equiv"] == "Content-Security-Policy"
    assert head[1][1] == {"name": "referrer", "content": "no-referrer"}
    policy = head[0][1]["content"]
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    script = re.search("<script>(.*?)</script>", text, re.DOTALL)[1]
    hashes = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (style, script)]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{hashes[0]}'; "
        f"script-src 'sha256-{hashes[1]}'; base-uri 'none'; form-action 'none'"
    )


def test_page_is_self_contained_and_accessible(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    _, page = read_page(report, descriptions, tmp_path / "out")
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        if tag == "img":
            assert (attributes["src"] or "").startswith("data:image/jpeg;base64,")
            assert attributes["alt"]
        if tag == "a":
            assert (attributes["href"] or "").startswith("#")
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
        assert tag not in ("iframe", "object", "embed", "form", "link", "base")
    assert page.count("h1") == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {f"#{each}" for each in ids} >= {a["href"] for tag, a in page.elements if tag == "a"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_element(
    text: str, hostile_report: Callable[[str], Report], descriptions: Descriptions, tmp_path: Path
) -> None:
    harmless = read_page(hostile_report("harmless"), descriptions, tmp_path / "harmless")[1]
    source, page = read_page(hostile_report(text), descriptions, tmp_path / "hostile")
    optional = {"tr", "th", "td"} if text == "" or "\udcff" in text or "\ud83d" in text else set()
    assert [tag for tag in structure(page) if tag not in optional] == [
        tag for tag in structure(harmless) if tag not in optional
    ]
    assert page.count("script") == 2
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source.split("record-data")[0]
    )
    assert "49" not in "".join(page.text["h1"])


def test_hostile_name_is_shown_as_it_is(
    hostile_report: Callable[[str], Report], descriptions: Descriptions, tmp_path: Path
) -> None:
    for index, text in enumerate(HOSTILE):
        _, page = read_page(hostile_report(text), descriptions, tmp_path / str(index))
        assert "".join(page.text.get("h1", [])).strip() == for_page(shorten(text)).strip()


def test_record_in_the_page_is_the_document(
    hostile_report: Callable[[str], Report], descriptions: Descriptions, tmp_path: Path
) -> None:
    files = write_report(hostile_report(HOSTILE[3]), descriptions, tmp_path / "out")
    block = re.search('id="record-data">(.*?)</script>', files.html.read_text("utf-8"), re.DOTALL)[1]
    assert json.loads(block) == json.loads(files.json.read_text("utf-8"))


def test_prose_never_calls_an_image_authentic(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    statement = replace(
        report.statement, label="authentic", log10_lr=-0.954, probability=0.1, phrase="For H2."
    )
    text, _ = read_page(replace(report, statement=statement), descriptions, tmp_path / "out")
    shown = re.sub("<(style|script).*?</(style|script)>", "", text, flags=re.DOTALL)
    heading = re.search('<h2 id="statement">(.*?)</h2>', shown, re.DOTALL)[1]
    assert "No alteration found by these methods" in heading
    assert "<circle" in heading
    mentions = re.findall('[^.>]*authentic[^.<"]*', re.sub('class="[^"]*"', "", shown))
    assert all("does not mean that the image is authentic" in mention for mention in mentions)


def test_page_says_what_changed_during_the_analysis(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    text, _ = read_page(replace(report, sha256_after="f" * 64), descriptions, tmp_path / "out")
    assert "CHANGED during the analysis" in text


def test_turned_picture_is_said_to_be_turned(
    report: Report, descriptions: Descriptions, tmp_path: Path
) -> None:
    evidence = replace(report.evidence, orientation=6)
    text, page = read_page(replace(report, evidence=evidence), descriptions, tmp_path / "out")
    assert "Turned for display (EXIF orientation 6)" in text
    sizes = {(a["height"], a["width"]) for tag, a in page.elements if tag == "img"}
    assert sizes == {("60", "40")}
