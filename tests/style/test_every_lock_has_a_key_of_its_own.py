import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TAKING = re.compile(r"pg_advisory_(?:xact_)?lock\((\d+)\)")


def test_every_lock_has_a_key_of_its_own() -> None:
    """Two that share a key would wait for each other for no reason."""
    keys = {
        path.stem: TAKING.findall(path.read_text())
        for room in ("ledger", "projections")
        for path in (ROOT / room).rglob("take_*_lock.sql")
    }
    assert len(keys) > 1
    assert all(len(found) == 1 for found in keys.values())
    assert len({found[0] for found in keys.values()}) == len(keys)
