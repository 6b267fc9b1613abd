from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_names_every_room() -> None:
    rooms = [path.parent for top in ("ledger", "projections") for path in (ROOT / top).glob("*/**/__init__.py")]
    house = (ROOT / "README.md").read_text().partition("## The house")[2]

    assert len(rooms) > 12
    assert [str(room.relative_to(ROOT)) for room in rooms if f"`{_named(room)}/`" not in house] == []


def test_every_room_opens_with_a_paragraph() -> None:
    for path in ROOT.glob("ledger/**/__init__.py"):
        assert path.read_text().startswith('"""'), path


def _named(room: Path) -> str:
    """A room within another is named by its own name, beside the one that it is in."""
    path = room.relative_to(ROOT)
    return str(path) if len(path.parts) == 2 else path.name
