from pathlib import Path

import pytest

from ledger.service.settings import PG_VARIABLES, Database, allowed_unsafe_settings, find_database


@pytest.fixture(autouse=True)
def _no_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("JOBLEDGER_DSN", "JOBLEDGER_ALLOW_UNSAFE", *PG_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOBLEDGER_DATA", str(tmp_path / "data"))


def test_what_is_said_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert find_database() == Database(None, tmp_path / "data")
    monkeypatch.setenv("PGHOST", "db1")
    assert find_database() == Database("", None)
    monkeypatch.setenv("JOBLEDGER_DSN", "host=db2")
    assert find_database() == Database("host=db2", None)
    assert find_database("host=db3") == Database("host=db3", None)


def test_unsafe_settings_are_allowed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed_unsafe_settings() == frozenset()
    monkeypatch.setenv("JOBLEDGER_ALLOW_UNSAFE", "fsync, synchronous_commit")
    assert allowed_unsafe_settings() == {"fsync", "synchronous_commit"}
