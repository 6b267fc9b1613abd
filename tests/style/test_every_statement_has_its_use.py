import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
USE = re.compile(r'SQL\["(\w+)"\]')
LISTED = re.compile(r'for name in \(("\w+"(?:, "\w+")*)\)')


def _used() -> set[str]:
    paths = [path for room in ("ledger", "projections") for path in (ROOT / room).rglob("*.py")]
    listed = LISTED.findall((ROOT / "ledger/store/migrate.py").read_text())
    return {name for path in paths for name in USE.findall(path.read_text())} | set(
        re.findall(r"\w+", " ".join(listed))
    )


def _stored() -> set[str]:
    return {path.stem for room in ("ledger/store", "projections") for path in (ROOT / room / "sql").glob("*.sql")}


def test_every_statement_has_its_use() -> None:
    assert _stored() - _used() == set()


def test_every_statement_that_is_used_is_there() -> None:
    assert _used() - _stored() == set()
