"""The corpus of 200 broken and odd files: made alike each time, and none of them does harm."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

from imforensics.errors import EvidenceError
from imforensics.evidence import read_evidence

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "make_odd_files.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_odd_files", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_200_files_the_same_each_time(script: ModuleType) -> None:
    files = script.make_odd_files()
    assert len(files) == 200
    assert files == script.make_odd_files()


def test_every_file_is_read_or_refused_quickly(script: ModuleType) -> None:
    read, refused, messages = [], [], []
    for name, content in script.make_odd_files().items():
        start = time.perf_counter()
        try:
            evidence = read_evidence(content, name=name.decode(errors="surrogateescape"))
            read.append(evidence.name)
            is_text_bomb = evidence.name in ("bomb_itxt.png", "bomb_ztxt.png")
            assert is_text_bomb == ("text" in evidence.metadata.unread and evidence.name.startswith("bomb"))
            assert is_text_bomb or not evidence.name.startswith(("bomb", "zero_bytes", "text"))
            assert evidence.truncation is not None or not evidence.name.startswith("truncated")
        except EvidenceError as error:
            refused.append(name)
            messages.append(str(error))
        assert time.perf_counter() - start < 5, name
    assert {"1x1.jpg", "cmyk.jpg", "frames.gif", "exif_noise.jpg", "really_heic.jpg", "trailing.jpg"} <= set(
        read
    )
    assert len(read) + len(refused) == 200
    assert all(message.isprintable() for message in messages)


def test_command_writes_the_files(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([str(tmp_path / "odd")]) == 0
    assert len(list((tmp_path / "odd").iterdir())) == 200
    assert script.main([]) == 2
    assert "OUT_FOLDER" in capsys.readouterr().err
