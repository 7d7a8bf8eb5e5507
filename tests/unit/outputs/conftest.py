"""The output of a run that has ended."""

from pathlib import Path

import pytest

from imforensics.outputs import claim_folder, write_atomically


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The output of a run that has ended."""
    folder = tmp_path / "runs" / "out"
    with claim_folder(folder, "scan"):
        (folder / "below").mkdir()
        write_atomically(folder / "a.txt", "one")
        write_atomically(folder / "a.txt", "two")
        write_atomically(folder / "below" / "b.txt", b"three")
    return folder
