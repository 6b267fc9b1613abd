from pathlib import Path

import pytest

from ledger.service.embedded import default_folder


def test_default_folder_is_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """JOBLEDGER_DATA comes first, a home directory in it is understood."""
    monkeypatch.setenv("JOBLEDGER_DATA", "~/ledger")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_folder() == Path("/home/ada/ledger")


def test_default_folder_is_in_the_users_data_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, and without a runtime directory, platformdirs names the place; no warning is given."""
    for name in ("JOBLEDGER_DATA", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert default_folder().name == "jobledger"
