import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("ledger/store", "ledger/recovery", "projections")
USE = re.compile(r'SQL\["(\w+)"\]')
SOURCE = "\n".join(path.read_text() for room in ("ledger", "projections") for path in (ROOT / room).rglob("*.py"))


def _stored() -> set[str]:
    return {path.stem for room in ROOMS for path in (ROOT / room / "sql").glob("*.sql")}


def test_every_statement_has_its_use() -> None:
    assert {name for name in _stored() if f'"{name}"' not in SOURCE} == set()


def test_every_statement_that_is_used_is_there() -> None:
    assert set(USE.findall(SOURCE)) - _stored() == set()
