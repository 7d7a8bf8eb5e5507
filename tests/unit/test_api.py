"""What a notebook user calls: analyze, read_evidence, methods.load, scan; and their errors."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from PIL import Image

import imforensics
from fixtures.synthetic import make_jpeg, make_photo_like
from imforensics import api
from imforensics.errors import ConfigError, EvidenceError, OutputExistsError
from imforensics.evidence.in_memory import LOST, Source
from imforensics.method_table import PROFILES
from imforensics.report.words import humanize

QUICK: api.AnalyzeSettings = {"methods": ["metadata", "ela"], "fusion": None}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(make_jpeg(96, 128, seed=3))
    return path


def test_every_way_to_name_a_file_gives_the_same_result(photo: Path) -> None:
    content = photo.read_bytes()
    sources: list[Source] = [photo, str(photo), content, bytearray(content), memoryview(content)]
    reports = [imforensics.analyze(source, **QUICK) for source in sources]
    assert len({report.to_dict()["result_digest"] for report in reports}) == 1
    assert [report.evidence.name for report in reports] == ["photo.jpg"] * 2 + ["bytes in memory"] * 3
    assert imforensics.analyze(content, name="mail.jpg", **QUICK).evidence.name == "mail.jpg"


def test_a_pillow_image_is_analyzed_as_the_file_that_it_was_opened_from(photo: Path) -> None:
    expected = imforensics.read_evidence(photo)
    loaded = Image.open(photo)
    loaded.load()
    for image in (Image.open(photo), loaded):
        evidence = imforensics.read_evidence(image)
        assert (evidence.sha256, evidence.path, evidence.notes) == (expected.sha256, photo, ())
    from_bytes = Image.open(io.BytesIO(photo.read_bytes()))
    assert imforensics.read_evidence(from_bytes).sha256 == expected.sha256
    assert np.array_equal(np.asarray(from_bytes), expected.pixels)  # the user's image still works


def edit(image: Image.Image) -> Image.Image:
    image.putpixel((5, 5), (1, 2, 3))
    return image


def thumbnail(image: Image.Image) -> Image.Image:
    image.thumbnail((64, 64))
    return image


@pytest.mark.parametrize(
    "change", [edit, thumbnail, Image.Image.copy, lambda image: image.crop((0, 0, 40, 40))]
)
def test_a_pillow_image_that_is_not_its_file_becomes_a_png_that_says_so(
    photo: Path, change: Callable[[Image.Image], Image.Image]
) -> None:
    changed = change(Image.open(photo))
    report = imforensics.analyze(changed, **QUICK)
    assert np.array_equal(report.evidence.pixels, np.asarray(changed))
    assert (report.evidence.format, report.evidence.jpeg, report.evidence.path) == ("PNG", None, None)
    assert LOST in report.evidence.notes[0]
    assert LOST in json.dumps(report.to_dict()["evidence"])
    assert LOST in report._repr_html_()


def test_another_frame_is_not_the_file(tmp_path: Path) -> None:
    first, second = (Image.fromarray(make_photo_like(40, 48, seed)) for seed in (1, 2))
    first.save(tmp_path / "two.tif", save_all=True, append_images=[second])
    with Image.open(tmp_path / "two.tif") as image:
        assert imforensics.read_evidence(image).format == "TIFF"
        image.seek(1)
        evidence = imforensics.read_evidence(image)
    assert np.array_equal(evidence.pixels, np.asarray(second))
    assert LOST in evidence.notes[0]


def test_a_file_that_was_replaced_is_not_the_image(photo: Path) -> None:
    image = Image.open(photo)
    image.load()
    photo.write_bytes(make_jpeg(96, 128, seed=4))
    assert LOST in imforensics.read_evidence(image).notes[0]
    photo.write_bytes(b"no image any more")
    assert LOST in imforensics.read_evidence(image).notes[0]


def test_an_undecodable_pillow_image_is_judged_by_its_file(photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:1500])
    with Image.open(photo) as image:
        evidence = imforensics.read_evidence(image)
    assert evidence.path == photo
    assert evidence.truncation is not None


def test_comparing_an_image_with_its_file_warns_of_nothing(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Image.open(photo) as image:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 96 * 128 - 1)  # opening it again would warn
        assert imforensics.read_evidence(image).path == photo


def test_an_array_is_its_pixels_and_says_what_is_lost() -> None:
    pixels = make_photo_like(64, 80)
    evidence = imforensics.read_evidence(pixels[:, ::-1])
    assert np.array_equal(evidence.pixels, pixels[:, ::-1])
    assert evidence.name == "array in memory"
    assert LOST in evidence.notes[0]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "received NoneType"),
        (np.zeros((8, 8, 3), np.float32), r"received float32 \(8, 8, 3\)"),
        (np.zeros((8, 8), np.uint8), r"received uint8 \(8, 8\)"),
        (np.zeros((0, 8, 3), np.uint8), r"received uint8 \(0, 8, 3\)"),
        (Image.new("CMYK", (8, 8)), r"mode CMYK .* image.convert\('RGB'\)"),
        (Image.new("RGB", (0, 0)), "cannot be encoded as PNG"),
        ("no/such.jpg", "does not exist"),
        (b"", "is empty"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_why(source: Source, words: str) -> None:
    with pytest.raises(EvidenceError, match=words):
        imforensics.analyze(source, **QUICK)


def test_evidence_is_read_once_for_methods_and_report(photo: Path) -> None:
    evidence = imforensics.read_evidence(photo)
    report = imforensics.analyze(evidence, **QUICK)
    assert report.evidence.pixels is evidence.pixels
    assert report.sha256_after == evidence.sha256
    alone = imforensics.methods.load("ela").analyze(evidence)
    assert alone.score == report.finding("ela").score
    assert imforensics.analyze(evidence, name="item 7", **QUICK).evidence.name == "item 7"


def test_settings_are_those_of_the_configuration(photo: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.yaml"
    config.write_text("methods: {ela: {quality: 75}}\nfusion: null\n", encoding="utf-8")
    by_file = imforensics.analyze(photo, config=config)
    by_call = imforensics.analyze(photo, methods={"ela": {"quality": 75}}, fusion=None)
    assert by_file.settings == by_call.settings
    assert by_file.finding("ela").score == by_call.finding("ela").score
    assert by_call.finding("ela").score != imforensics.analyze(photo, **QUICK).finding("ela").score
    over_file = imforensics.analyze(photo, config=config, methods="metadata")
    assert [finding.method for finding in over_file.findings] == ["metadata"]
    fast = imforensics.analyze(photo, profile="fast", fusion=None)
    assert tuple(finding.method for finding in fast.findings) == tuple(PROFILES["fast"])
    with pytest.raises(KeyError, match="jpeg_ghost was not run"):
        fast.finding("jpeg_ghost")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"methods": ["elaa"]}, "did you mean ela"),
        ({"methods": {"ela": {"qualitty": 75}}}, "methods.ela.qualitty: unknown key; did you mean quality"),
        ({"methods": []}, "at least 1 item"),
        ({"methods": ["ela"], "profile": "fast"}, "the call names the methods"),
        ({"profile": "quick"}, "expected one of fast, default, full"),
        ({"fusionn": None}, "did you mean fusion"),
        ({"max_pixels": 0}, "greater than 0"),
    ],
)
def test_wrong_settings_are_named(photo: Path, settings: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        imforensics.analyze(photo, **settings)


def test_a_picture_over_the_limit_is_refused_however_it_comes() -> None:
    with pytest.raises(EvidenceError, match="max_pixels"):
        imforensics.analyze(make_photo_like(64, 64), max_pixels=4000, **QUICK)


def test_a_configuration_is_loaded_once(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    build = api.build_analyzer
    monkeypatch.setattr(
        api, "build_analyzer", lambda config, **rest: built.append(config) or build(config, **rest)
    )
    api._build_analyzer.cache_clear()
    for quality in (71, 72, 71, np.int64(73), 72):
        report = imforensics.analyze(photo, methods={"ela": {"quality": quality}}, fusion=None)
        assert report.settings["methods"]["ela"]["quality"] == quality
    assert len(built) == 3


def test_methods_load_checks_name_and_options() -> None:
    assert imforensics.methods.load("ela", quality=75).options.model_dump()["quality"] == 75
    with pytest.raises(ConfigError, match=r"methods.ela_cn: unknown method; did you mean ela_cnn"):
        imforensics.methods.load("ela_cn")
    with pytest.raises(ConfigError, match=r"methods.ela.quality: .*received 'high'"):
        imforensics.methods.load("ela", quality="high")
    with pytest.raises(ConfigError, match=r"methods.ela.name: unknown key"):
        imforensics.methods.load("ela", name="x")


def test_save_writes_what_to_dict_says(photo: Path, tmp_path: Path) -> None:
    report = imforensics.analyze(photo, **QUICK)
    written = report.save(tmp_path / "out", save_maps=True)
    stored = json.loads(written.json.read_text(encoding="utf-8"))
    document = report.to_dict()
    assert {**document, "files": stored["files"]} == stored
    assert (written.html.stat().st_size > 1000, (written.folder / "maps" / "ela.npy").is_file()) == (
        True,
        True,
    )
    with pytest.raises(OutputExistsError):
        report.save(str(tmp_path / "out"))
    assert report.save(str(tmp_path / "out"), overwrite=True) == written


def test_repr_is_one_line(photo: Path) -> None:
    report = imforensics.analyze(photo, methods=["metadata"], fusion=None)
    assert repr(report) == "<Report of 'photo.jpg': inconclusive, no probability; 1 finding>"


class Tags(HTMLParser):
    """Tags and attributes of a piece of HTML; `depth` is 0 where every tag was closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "img":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_card_is_html_of_its_own_and_escapes_what_the_file_says() -> None:
    hostile = "<script>alert(1)</script>\"'&\u202e.jpg"
    card = imforensics.analyze(make_jpeg(96, 128), name=hostile, **QUICK)._repr_html_()
    tags = Tags()
    tags.feed(card)
    assert tags.open == []
    names = [tag for tag, _ in tags.seen]
    assert {"script", "link", "iframe", "style"} & set(names) == set()
    assert names.count("img") == 2  # the original, and ELA's map over it
    attributes = [(name, value or "") for _, found in tags.seen for name, value in found.items()]
    assert [name for name, _ in attributes if name.startswith("on")] == []
    assert all(value.startswith("data:image/jpeg;base64,") for name, value in attributes if name == "src")
    assert "href" not in dict(attributes)
    assert "&lt;script&gt;alert(1)" in card
    assert "\u202e" not in card


def test_card_shows_the_map_that_the_statement_rests_on() -> None:
    sample = Path(__file__).resolve().parents[2] / "data" / "samples" / "tampered.jpg"
    report = imforensics.analyze(sample)
    card = report._repr_html_()
    assert report.statement.label == "tampered"
    assert "Traces of alteration found" in card
    assert f"<b>{report.statement.probability:.3g}</b>" in card
    assert "<b>Original.</b>" in card
    with_threshold = [name for name in report.statement.basis if report.finding(name).threshold is not None]
    assert f"<b>{humanize(with_threshold[0])}.</b>" in card
    assert card.count("<img") == 2
    without = imforensics.analyze(sample, methods=["metadata"], fusion=None)._repr_html_()
    assert without.count("<img") == 1
    assert "No probability" in without


def test_scan_gives_the_rows_of_the_command_and_resumes(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    (tmp_path / "notes.txt").write_text("left out")
    settings: api.ScanSettings = {"methods": ["metadata"], "fusion": None, "timeout_seconds": 60}
    out = tmp_path / "out"
    rows = {str(row["file"]): row for row in imforensics.scan(tmp_path, folder=out, workers=1, **settings)}
    assert {Path(file).name: row["status"] for file, row in rows.items()} == {
        "photo.jpg": "ok",
        "bad.jpg": "error",
    }
    stored = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert {str(row["file"]): row for row in stored} == rows
    assert (out / "index.html").is_file()
    again = list(imforensics.scan([str(photo)], folder=out, **settings))
    assert again == [rows[str(photo)]]


def test_scan_checks_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="does not exist"):
        imforensics.scan(tmp_path / "nowhere")
    with pytest.raises(EvidenceError, match="no images to scan"):
        imforensics.scan(tmp_path)
    with pytest.raises(ConfigError, match="did you mean timeout_seconds"):
        imforensics.scan(tmp_path, timeout_second=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("as_file", [True, False])
def test_a_script_scans_without_a_guard_and_runs_once(photo: Path, tmp_path: Path, as_file: bool) -> None:
    code = f"""
        import imforensics
        print("begins")
        for row in imforensics.scan({str(photo)!r}, methods=["metadata"], fusion=None, workers=1):
            print(row["status"])
        print(__name__, "__file__" in globals() and __file__)
    """
    script = tmp_path / "script.py"
    script.write_text(dedent(code), encoding="utf-8")
    done = run_python(str(script)) if as_file else run_python("-", stdin=dedent(code))
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines()[:2] == ["begins", "ok"]
    assert done.stdout.splitlines()[2:] == [f"__main__ {script if as_file else '<stdin>'}"]


def test_a_script_can_hand_its_own_functions_to_workers(tmp_path: Path) -> None:
    code = """
        from imforensics.engines.local import run_in_processes

        def double(number):
            return 2 * number

        if __name__ == "__main__":
            print([o.result for o in run_in_processes(double, [4], workers=1, timeout_seconds=60)])
    """
    script = tmp_path / "script.py"
    script.write_text(dedent(code), encoding="utf-8")
    done = run_python(str(script))
    assert (done.stdout, done.stderr) == ("[8]\n", "")


def run_python(
    *arguments: str, stdin: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    return subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_python_m_is_the_command_line(photo: Path) -> None:
    done = run_python("-m", "imforensics", "analyze", "--set", "methods={metadata: {}}", str(photo))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("photo.jpg: inconclusive")
    assert run_python("-m", "imforensics", "no-such-command").returncode == 2


def test_import_loads_nothing_and_names_load_when_used() -> None:
    code = """
import sys
before = set(sys.modules)
import imforensics
loaded = set(sys.modules) - before
assert loaded == {"imforensics"}, loaded
assert {"analyze", "methods", "Report", "__version__"} <= set(dir(imforensics))
imforensics.methods, imforensics.errors
assert "numpy" not in sys.modules and "pydantic" not in sys.modules
try:
    imforensics.analyse
except AttributeError as error:
    assert "'analyse'" in str(error)
else:
    raise SystemExit("a name that does not exist was found")
assert imforensics.analyze is imforensics.analyze
assert "imforensics.api" in sys.modules
heavy = {"tensorflow", "keras", "sklearn", "scipy", "matplotlib", "cv2", "click"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr


def test_a_type_checker_sees_the_names(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs the extra dev")
    code = """
        import imforensics
        reveal_type(imforensics.analyze("a.jpg", methods={"ela": {"quality": 75}}))
        reveal_type(imforensics.methods.load("ela").analyze(imforensics.read_evidence(b"")).score)
        reveal_type(imforensics.scan(["a"], timeout_seconds=3.0))
        imforensics.analyze("a.jpg", fusionn=None)
        imforensics.analyse
    """
    file = tmp_path / "user.py"
    file.write_text(dedent(code), encoding="utf-8")
    done = run_python(
        *("-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "--no-error-summary"),
        *("--cache-dir", str(tmp_path / "cache"), str(file)),
        MYPYPATH=str(Path(imforensics.__file__).parents[1]),
    )
    messages = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    assert 'type is "imforensics.api.Report"' in messages[0], done.stdout
    assert 'type is "float | None"' in messages[1]
    assert "Iterator[dict[str, " in messages[2]
    errors = [text for text in messages if text.startswith("error: ")]
    assert [error.rpartition("[")[2] for error in errors] == ["call-arg]", "attr-defined]"], done.stdout


def test_every_public_name_is_there() -> None:
    assert [name for name in imforensics.__all__ if not hasattr(imforensics, name)] == []
    assert imforensics.Report is api.Report
