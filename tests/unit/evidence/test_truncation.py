"""A JPEG that is cut short is read as far as it goes: only coded content, and no statement on it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fixtures import synthetic as make
from imforensics.config import AnalyzeConfig
from imforensics.errors import EvidenceError, EvidenceTooLargeError
from imforensics.evidence import read_evidence
from imforensics.methods.jpeg.jpeg_structure import JpegStructure
from imforensics.methods.metadata.metadata import MetadataTraces
from imforensics.pipeline.analyze import build_analyzer
from imforensics.report.evidence_block import evidence_block
from imforensics.types import Evidence, Truncation

SEQUENTIAL = [
    {},
    {"subsampling": "4:2:2"},
    {"subsampling": "4:4:4", "optimize": True},
    {"restart_marker_blocks": 3},
    {"restart_marker_rows": 1},
]


def start_of_data(jpeg: bytes) -> int:
    at = jpeg.index(b"\xff\xda")
    return at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")


def have_same_coefficients(part: Evidence, whole: Evidence) -> bool:
    assert part.jpeg is not None
    assert whole.jpeg is not None
    pairs = zip(part.jpeg.read_coefficients(), whole.jpeg.read_coefficients(), strict=True)
    return all(np.array_equal(mine, all_of_it[: len(mine)]) for mine, all_of_it in pairs)


@pytest.mark.parametrize("options", SEQUENTIAL)
def test_whole_rows_of_blocks_are_read_and_no_others(options: dict[str, object]) -> None:
    jpeg = make.make_jpeg(93, 70, **options)
    whole = read_evidence(jpeg)
    rows = 16 if options.get("subsampling") is None or "restart" in str(options) else 8
    start = start_of_data(jpeg)
    seen = set()
    for cut in np.linspace(start + 400, len(jpeg) - 4, 12).astype(int):
        part = read_evidence(jpeg[:cut])
        assert part.truncation == Truncation(93, part.height)
        assert part.declared_size == (93, 70)
        assert part.height % rows == 0
        assert part.height < 93
        # The last row's chroma is interpolated without the one that is missing below it.
        assert np.array_equal(part.pixels[: part.height - 1], whole.pixels[: part.height - 1])
        assert have_same_coefficients(part, whole)
        assert part.notes[0] == f"the file is cut short: {part.height} of 93 rows of pixels are there"
        seen.add(part.height)
    assert len(seen) >= 4
    assert max(seen) >= 80


def test_cuts_at_restart_markers_are_seen() -> None:
    jpeg = make.make_jpeg(93, 70, restart_marker_blocks=5)
    whole = read_evidence(jpeg)
    start = start_of_data(jpeg)
    markers = [at for at in range(start, len(jpeg) - 2) if jpeg[at] == 255 and 0xD0 <= jpeg[at + 1] < 0xD8]
    assert len(markers) == 5
    for row, at in enumerate(markers, start=1):
        for cut in (at, at + 1, at + 2, at + 3):
            part = read_evidence(jpeg[:cut])
            assert part.truncation == Truncation(93, 16 * row)
            assert have_same_coefficients(part, whole)


@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"progressive": True}])
def test_zeros_in_the_place_of_what_never_arrived_are_no_content(options: dict[str, object]) -> None:
    jpeg = make.make_jpeg(93, 70, **options)
    cut = len(jpeg) * 6 // 10
    short, padded = read_evidence(jpeg[:cut]), read_evidence(jpeg[:cut].ljust(len(jpeg), b"\x00"))
    assert padded.truncation is not None
    assert padded.truncation == short.truncation
    assert padded.pixel_sha256 == short.pixel_sha256


@given(
    cut=st.integers(2, 6000),
    edits=st.lists(st.tuples(st.integers(200, 5999), st.integers(0, 255)), max_size=3),
)
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 3, "optimize": True}]
)
def test_cut_and_changed_jpegs_raise_nothing_but_evidence_errors(
    options: dict[str, object], cut: int, edits: list[tuple[int, int]]
) -> None:
    damaged = bytearray(make.make_jpeg(93, 70, quality=95, **options))
    for position, value in edits:
        damaged[position % len(damaged)] = value
    try:
        evidence = read_evidence(bytes(damaged[:cut]), max_pixels=1_000_000)
        if evidence.jpeg is not None:
            shapes = [array.shape[:2] for array in evidence.jpeg.read_coefficients()]
            assert shapes[0][0] * 8 >= evidence.height
    except EvidenceError as error:
        assert str(error)  # noqa: PT017


def test_gray_counts_rows_of_eight() -> None:
    jpeg = make.encode(make.make_photo_like(80, 80)[:, :, 0], "JPEG", quality=90)
    heights = {
        read_evidence(jpeg[:cut]).height for cut in range(start_of_data(jpeg) + 300, len(jpeg) - 3, 97)
    }
    assert all(height % 8 == 0 for height in heights)
    assert any(height % 16 for height in heights)


@pytest.mark.parametrize("options", [*SEQUENTIAL, {"progressive": True}])
@pytest.mark.parametrize("kept_bytes_of_marker", [0, 1])
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(
    options: dict[str, object], kept_bytes_of_marker: int
) -> None:
    jpeg = make.make_jpeg(93, 70, **options)
    whole, read = read_evidence(jpeg), read_evidence(jpeg[: len(jpeg) - 2 + kept_bytes_of_marker])
    assert read.truncation is None
    assert read.pixel_sha256 == whole.pixel_sha256
    assert have_same_coefficients(read, whole)
    assert "JPEG structure: there is no end-of-image marker" in read.notes
    assert read.read_content() == jpeg[: len(jpeg) - 2 + kept_bytes_of_marker]


def test_a_progressive_file_keeps_its_whole_scans() -> None:
    jpeg = make.make_jpeg(93, 70, progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    closed = read_evidence(jpeg[:last] + b"\xff\xd9")  # what a decoder makes of all scans but the last
    part = read_evidence(jpeg[: last + (len(jpeg) - last) // 2])
    assert part.truncation == Truncation(93, 93, has_all_detail=False)
    assert "with less detail" in part.notes[0]
    assert np.array_equal(part.pixels, closed.pixels)
    assert have_same_coefficients(part, closed)


def test_a_progressive_file_cut_behind_a_scan_is_no_whole_one() -> None:
    jpeg = make.make_jpeg(93, 70, progressive=True)
    part = read_evidence(jpeg[: jpeg.rindex(b"\xff\xda")])
    assert part.truncation == Truncation(93, 93, has_all_detail=False)


def test_a_progressive_file_cut_in_its_first_scan_has_fewer_rows() -> None:
    jpeg = make.make_jpeg(200, 150, progressive=True)
    start = start_of_data(jpeg)
    stop = jpeg.index(b"\xff\xc4", start)
    part = read_evidence(jpeg[: (start + stop) // 2])
    assert part.truncation == Truncation(200, part.height, has_all_detail=False)
    assert 0 < part.height < 200


def test_metadata_are_read_and_the_thumbnail_is_not_compared() -> None:
    thumbnail = make.encode(make.make_photo_like(120, 160, seed=9), "JPEG")
    size = [make.short_entry(0xA002, 160), make.short_entry(0xA003, 120)]
    exif = make.make_exif([make.ascii_entry(0x010F, "Maker")], exif=size, thumbnail=thumbnail)
    jpeg = make.make_jpeg(120, 160, exif=exif)
    part = read_evidence(jpeg[:-2000])
    assert part.truncation is not None
    assert part.metadata.camera == "Maker"
    finding = MetadataTraces().analyze(part)
    kinds = {trace["trace"] for trace in finding.observations["traces"]}  # type: ignore[union-attr,index,call-overload]
    assert not kinds & {"recorded_size_differs", "thumbnail_differs", "thumbnail_shows_more"}
    note = f"The file is cut short: {part.height} of 120 rows of pixels are there. "
    assert any(line.startswith(note) for line in JpegStructure().analyze(part).notes)


@pytest.mark.parametrize("where", ["segment", "scan header", "no row"])
def test_what_holds_no_row_is_a_clear_error(where: str) -> None:
    jpeg = make.make_jpeg(93, 70)
    start = start_of_data(jpeg)
    cut = {"segment": jpeg.index(b"\xff\xdb") + 20, "scan header": start - 3, "no row": start + 20}[where]
    words = "in its first row of blocks" if where == "no row" else "before its image data begin"
    with pytest.raises(EvidenceError, match=words):
        read_evidence(jpeg[:cut])


def test_a_damaged_file_with_its_end_is_not_called_cut_short() -> None:
    jpeg = make.make_jpeg(93, 70)
    at = jpeg.index(b"\xff\xc4") + 5  # counts of codes by length: more than there can be
    with pytest.raises(EvidenceError, match="data are damaged"):
        read_evidence(jpeg[:at] + b"\xff" * 16 + jpeg[at + 16 :])


def test_components_that_are_missing_are_not_made_up() -> None:
    jpeg = make.make_jpeg(64, 64, subsampling="4:4:4")
    start = jpeg.index(b"\xff\xda")
    alone = jpeg[:start] + make.make_jpeg_segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + jpeg[start + 14 : -900]
    with pytest.raises(EvidenceError, match="one after another and is truncated"):
        read_evidence(alone)


def test_the_limit_of_pixels_holds() -> None:
    with pytest.raises(EvidenceTooLargeError):
        read_evidence(make.make_jpeg(93, 70)[:-500], max_pixels=93 * 70 - 1)


def test_nothing_of_the_fillers_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    read_evidence(make.make_jpeg(93, 70)[:-500])
    assert capfd.readouterr().err == ""


def test_no_statement_on_a_file_that_is_cut_short() -> None:
    jpeg = make.make_jpeg(512, 640)
    analyzer = build_analyzer(AnalyzeConfig())
    report = analyzer.analyze(jpeg[:-3000])
    statement = report.statement
    assert (statement.label, statement.probability, statement.log10_lr) == ("inconclusive", None, None)
    assert statement.reasons[0] == (
        f"The file is cut short: {report.evidence.height} of 512 rows of pixels are there."
    )
    assert all(finding.opinion is None for finding in report.findings)
    assert all(finding.status != "failed" for finding in report.findings)
    block = json.loads(json.dumps(evidence_block(report.evidence)))
    assert block["truncation"] == {
        "declared_height": 512,
        "decoded_height": report.evidence.height,
        "has_all_detail": True,
    }
    assert evidence_block(read_evidence(jpeg))["truncation"] is None  # type: ignore[index,call-overload]


def halve(jpeg: bytes) -> bytes:
    return jpeg[: (start_of_data(jpeg) + len(jpeg)) // 2]


def state(content: bytes) -> tuple[str, float | None, str]:
    analyzer = build_analyzer(AnalyzeConfig(methods={"double_quantization": {}, "localizer": {}}))
    statement = analyzer.analyze(content, name="a.jpg").statement
    return statement.label, statement.probability, statement.reasons[0]


def test_a_file_filled_with_zeros_is_cut_short() -> None:
    """Zeros are codes too: decoders make gray of them without a word."""
    jpeg = (Path(__file__).parents[3] / "data/samples/authentic.jpg").read_bytes()
    filled = jpeg[: len(jpeg) // 2].ljust(len(jpeg), b"\0")
    Image.open(io.BytesIO(filled)).load()  # no error
    report = build_analyzer(AnalyzeConfig()).analyze(filled)
    assert report.evidence.truncation == Truncation(427, 288, True)
    assert (report.statement.label, report.statement.probability) == ("inconclusive", None)
    words = "the file is cut short: 288 of 427 rows of pixels are there"
    assert report.statement.phrase.endswith(f"No likelihood ratio: {words}.")
    assert not any("0xd9" in note for note in report.evidence.notes), "of the marker that was put there"


@pytest.mark.parametrize("kind", ["ends early", "a part is missing"])
def test_nothing_is_stated_on_damaged_data_that_have_an_end(kind: str) -> None:
    jpeg = make.make_jpeg(256, 256, subsampling="4:4:4")
    middle = len(halve(jpeg))
    damaged = jpeg[:middle] + (b"\xff\xd9" if kind == "ends early" else jpeg[middle + 3000 :])
    label, probability, reason = state(damaged)
    assert (label, probability) == ("inconclusive", None)
    assert reason.startswith("Some of the coded data are missing or damaged (Corrupt JPEG data")
    assert state(jpeg)[1] is not None
