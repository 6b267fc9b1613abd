import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEY = re.compile(r"\b73086048968990974\d\d\b")
TAKING = re.compile(r"FUNCTION (take_\w+_lock)\(\).*?\n\$\$;", re.DOTALL)


def test_every_lock_has_a_key_of_its_own() -> None:
    """Two that share a key would wait for each other for no reason."""
    migrations = "".join(path.read_text() for path in sorted((ROOT / "ledger/store/migrations").glob("*.sql")))
    keys = {found[1]: set(KEY.findall(found[0])) for found in TAKING.finditer(migrations)}
    keys["take_migration_lock"] = set(KEY.findall((ROOT / "ledger/store/sql/take_migration_lock.sql").read_text()))

    assert len(keys) == 5
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == len(keys)
