import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import AccessDenied
from ledger.service.assembly import open_ledger


@pytest.fixture
def somebody(superuser: str) -> Iterator[str]:
    """A login without any role."""
    name = f"somebody_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} NOLOGIN")
        yield name
        admin.execute(f"DROP OWNED BY {name}")
        admin.execute(f"DROP ROLE {name}")


def _as(superuser: str, role: str) -> Ledger:
    return open_ledger(make_conninfo(superuser, options=f"-c role={role}"))


def _execute(superuser: str, statement: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute(statement)


def test_who_has_no_role_is_offered_each_by_its_use(superuser: str, somebody: str) -> None:
    offered = "grant it jobledger_reader to ask, or jobledger_writer to record"

    with pytest.raises(AccessDenied, match=f"The role {somebody} lacks USAGE on schema ledger; {offered}"):
        _as(superuser, somebody)


def test_a_reader_who_records_lacks_what_a_writer_has(superuser: str, somebody: str) -> None:
    _execute(superuser, f"GRANT jobledger_reader TO {somebody}")

    with (
        _as(superuser, somebody) as ledger,
        pytest.raises(AccessDenied, match="lacks EXECUTE on function take_append_l"),
    ):
        ledger.plan("T", job="a")


def test_a_reader_who_asks_is_never_made_a_writer(superuser: str, somebody: str) -> None:
    """What a role of the ledger must have, and lost, a migration gives back."""
    _execute(superuser, f"GRANT jobledger_reader TO {somebody}")
    _execute(superuser, "REVOKE SELECT ON projections.job_status FROM jobledger_reader")

    with _as(superuser, somebody) as ledger, pytest.raises(AccessDenied) as raised:
        ledger.job("a")

    said = str(raised.value)
    assert "The role jobledger_reader must have SELECT on table job_status, and has not; run jobledger migrate" in said
    assert "jobledger_writer" not in said
