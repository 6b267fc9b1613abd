"""SQL by the name of its file: one statement a file, `verb_object.sql`, parameters by name."""

from collections.abc import Mapping
from importlib.resources import files


def load_statements(package: str) -> Mapping[str, str]:
    """The statements in the folder `sql` of a package, by file name without its ending."""
    folder = files(package) / "sql"
    return {
        entry.name.removesuffix(".sql"): entry.read_text(encoding="utf-8").strip()
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    }


SQL = load_statements("ledger.store")
