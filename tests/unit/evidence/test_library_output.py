"""What libraries write to standard error is a note on its file; what others write goes where it went."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

from fixtures.synthetic import make_jpeg, make_photo_like
from imforensics.errors import EvidenceError
from imforensics.evidence import add_late_notes, read_evidence
from imforensics.evidence.library_output import MAX_LINES, caught_output, tidy_lines

PREFIX = "the decoding library reports: "


def make_bad_fax() -> bytes:
    """A TIFF in CCITT group 4 with bytes turned over: libtiff says so, and decodes what it can."""
    stream = io.BytesIO()
    picture = Image.fromarray(make_photo_like(64, 96)).convert("1")
    picture.save(stream, "TIFF", compression="group4")
    content = bytearray(stream.getvalue())
    for place in range(200, 230):
        content[place] ^= 0x5A
    return bytes(content)


def test_the_lines_of_a_block_and_no_others(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before\n")
    with caught_output() as lines:
        os.write(2, b"strip 1 is short\nstrip 2 is short\n")
        os.write(2, b"other \x1b[2J\n")
        sys.stderr.write("by Python\n")
    os.write(2, b"after\n")
    assert lines == ["strip 1 is short (2 such lines)", "other \\x1b[2J", "by Python"]
    assert capfd.readouterr().err == "before\nafter\n"


def test_lines_are_there_when_the_block_raises(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        os.write(2, b"one\n")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), caught_output() as lines:
        fail()
    assert lines == ["one"]
    os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"


def test_blocks_within_blocks_are_one(capfd: pytest.CaptureFixture[str]) -> None:
    with caught_output() as outer:
        os.write(2, b"one\n")
        with caught_output() as inner:
            os.write(2, b"two\n")
        os.write(2, b"three\n")
    assert (outer, inner) == (["one", "two", "three"], [])
    assert capfd.readouterr().err == ""


def test_other_threads_keep_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    def talk() -> None:
        for number in range(50):
            sys.stderr.write(f"talk {number}\n")

    talker = threading.Thread(target=talk)
    with caught_output() as lines:
        talker.start()
        os.write(2, b"caught\n")
        talker.join()
    assert lines == ["caught"]
    assert capfd.readouterr().err.count("talk") == 50


def test_threads_that_catch_at_once_get_their_own_lines(capfd: pytest.CaptureFixture[str]) -> None:
    found: dict[int, list[str]] = {}

    def work(number: int) -> None:
        name = "abcdefgh"[number]
        with caught_output() as lines:
            os.write(2, f"{name}1\n".encode())
            os.write(2, f"{name} twice\n".encode())
        found[number] = lines

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [f"{'abcdefgh'[n]}1", f"{'abcdefgh'[n]} twice"] for n in range(8)}
    assert capfd.readouterr().err == ""


def test_a_long_story_is_cut() -> None:
    told = tidy_lines(b"".join(b"line %c\n" % (97 + n) for n in range(MAX_LINES + 5)) + b"x" * 5000)
    assert len(told) == MAX_LINES + 1
    assert told[-1] == "and 6 other messages"
    assert len(tidy_lines(b"x" * 5000)[0]) == 200


def test_what_libtiff_writes_is_a_note(capfd: pytest.CaptureFixture[str]) -> None:
    notes = read_evidence(make_bad_fax(), name="fax.tif").notes
    assert any(note.startswith(PREFIX) and "Fax4" in note for note in notes)
    assert capfd.readouterr().err == ""


def test_what_the_coefficient_decoder_writes_is_a_late_note(capfd: pytest.CaptureFixture[str]) -> None:
    content = make_jpeg(64, 96, quality=90)
    broken = content[: len(content) * 2 // 3] + b"\xff\xd3" + content[len(content) * 2 // 3 + 2 :]
    evidence = read_evidence(broken, name="broken.jpg")
    assert evidence.jpeg is not None
    assert add_late_notes(evidence) is evidence
    evidence.jpeg.read_coefficients()
    late = add_late_notes(evidence)
    assert any("Corrupt JPEG data" in note for note in set(late.notes) - set(evidence.notes))
    assert add_late_notes(late) is late
    assert capfd.readouterr().err == ""


def test_a_process_without_standard_error_reads_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    path.write_bytes(make_bad_fax())
    code = (
        "import os, sys, json\n"
        "os.close(2)\n"
        "from imforensics.evidence import read_evidence\n"
        f"print(json.dumps(read_evidence({str(path)!r}).size_bytes))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == path.stat().st_size


def test_what_libtiff_writes_is_the_reason_of_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.BytesIO()
    Image.fromarray(make_photo_like(64, 96)).save(stream, "TIFF", compression="tiff_lzw")
    content = bytearray(stream.getvalue())
    content[8:200] = bytes(192)  # the strip's data
    with pytest.raises(EvidenceError, match=r"odd\.tif.*\(the decoding library reports: Using code"):
        read_evidence(bytes(content), name="odd.tif")
    assert capfd.readouterr().err == ""
