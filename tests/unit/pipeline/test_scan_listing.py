"""Which files a scan takes: what cannot be read has a row that says why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixtures import synthetic as make
from imforensics.errors import EvidenceError
from imforensics.pipeline.scan.plan import list_files
from imforensics.pipeline.scan.worker import sha256_of


def test_a_broken_link_and_a_pipe_are_listed_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(make.make_jpeg())
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "notes.txt").write_text("words")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        assert sha256_of(tmp_path / "pipe.jpg") is None, "a pipe is not waited for"
    listing = list_files([tmp_path])
    assert {path.name for path in listing.files} >= {"photo.jpg", "broken.jpg"}
    assert {path.name for path in listing.files} <= {"photo.jpg", "broken.jpg", "pipe.jpg"}
    assert [path.name for path in listing.left_out] == ["notes.txt"]


def test_a_folder_that_cannot_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "photo.jpg").write_bytes(make.make_jpeg())
    scandir = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for include in ((), ("*.jpg",)):
        names = [path.name for path in list_files([tmp_path], include=include).files]
        assert names == ["photo.jpg", "secret"]


def test_a_missing_name_among_others_is_listed_and_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(make.make_jpeg())
    missing = tmp_path / "missing.jpg"
    assert list_files([tmp_path / "photo.jpg", missing]).files == (tmp_path / "photo.jpg", missing)
    with pytest.raises(EvidenceError, match="does not exist"):
        list_files([missing])
