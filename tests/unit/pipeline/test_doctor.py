"""What is optional and absent is no defect, however its extra is spelled."""

from __future__ import annotations

from importlib import metadata

import pytest

from imforensics.pipeline import doctor

REQUIREMENTS = [
    "numpy>=2.2",
    'no-such-library>=1; extra == "copy-move"',
    "no-such-package>=1 ; extra == 'train'",
    'no-such-tool>=1 ; python_version >= "3.11" and extra == "dev"',
]


def test_what_an_extra_brings_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: REQUIREMENTS)
    checks = {check.subject: check for check in doctor._check_requirements()}
    assert {name: check.verdict for name, check in checks.items()} == {
        "numpy": "ok",
        "no-such-library": "absent",
        "no-such-package": "absent",
    }
    assert "pip install 'imforensics[copy-move]'" in checks["no-such-library"].detail


def test_what_every_command_needs_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["no-such-library>=1"])
    assert [check.verdict for check in doctor._check_requirements()] == ["broken"]
