"""Each statement is one of the room where its file lies: used there, and by no other room."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
USE = re.compile(r'SQL\["(\w+)"\]|SHARED\["(\w+)"\]')


def _rooms() -> dict[Path, set[str]]:
    """The folders that have statements, each with the names of these."""
    found = sorted(ROOT.glob("ledger/**/sql")) + sorted(ROOT.glob("projections/**/sql"))
    return {folder.parent: {path.stem for path in folder.glob("*.sql")} for folder in found}


def _sources(room: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in room.rglob("*.py")}


def unused(rooms: dict[Path, set[str]]) -> set[str]:
    """The statements that nobody names in their own room."""
    return {
        name for room, names in rooms.items() for name in names if f'"{name}"' not in "\n".join(_sources(room).values())
    }


def strange(rooms: dict[Path, set[str]], sources: dict[Path, str]) -> set[str]:
    """The statements that a file uses though they are not of its room, or of one around it, or nowhere."""
    found = set()
    for path, source in sources.items():
        here = {name for room, names in rooms.items() if path.is_relative_to(room) for name in names}
        found |= {f"{path.name}: {name}" for each in USE.findall(source) for name in each if name and name not in here}
    return found


def test_every_statement_has_its_use() -> None:
    assert unused(_rooms()) == set()


def test_a_statement_is_used_in_its_own_room() -> None:
    rooms = _rooms()

    assert strange(rooms, _sources(ROOT / "ledger") | _sources(ROOT / "projections")) == set()


def test_a_statement_of_another_room_is_found_out() -> None:
    rooms = _rooms()

    assert strange(rooms, {ROOT / "ledger/owners/leases.py": 'SQL["select_head"]'}) == {"leases.py: select_head"}
    assert strange(rooms, {ROOT / "projections/queries/now.py": 'SQL["upsert_documents"]'}) == {
        "now.py: upsert_documents"
    }
    assert unused({ROOT / "ledger/owners": {"select_nobody"}}) == {"select_nobody"}
