import os

import pytest

from imforensics.cores import THREAD_VARIABLES, available_cores, share_cores


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in THREAD_VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def read_variables() -> set[str | None]:
    return {os.environ.get(variable) for variable in THREAD_VARIABLES}


def test_there_is_a_core() -> None:
    assert available_cores() >= 1


def test_workers_get_equal_shares_and_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imforensics.cores.available_cores", lambda: 8)
    with share_cores(3):
        assert read_variables() == {"2"}
    assert read_variables() == {None}
    with share_cores(20):
        assert read_variables() == {"1"}


def test_one_worker_keeps_every_core() -> None:
    with share_cores(1):
        assert read_variables() == {None}


def test_what_the_user_has_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    with share_cores(2):
        assert read_variables() == {"5", None}
    assert os.environ["OMP_NUM_THREADS"] == "5"
