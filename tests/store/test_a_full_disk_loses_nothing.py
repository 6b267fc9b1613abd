import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import DiskFull

FULL = """
CREATE FUNCTION projections.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END
$$;
CREATE TRIGGER full_disk BEFORE INSERT ON projections.job_status EXECUTE FUNCTION projections.full_disk();
"""


def test_a_full_disk_loses_nothing(superuser: str, ledger: Ledger) -> None:
    ledger.plan("T", job="a")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(FULL)
        with pytest.raises(DiskFull, match="make room and repeat"):
            ledger.plan("T", job="b")
        assert [entry.event.job for entry in ledger.events()] == ["a"]

        connection.execute("DROP TRIGGER full_disk ON projections.job_status")
        assert ledger.plan("T", job="b").position == 2
