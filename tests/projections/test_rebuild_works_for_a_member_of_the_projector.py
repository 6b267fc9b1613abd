import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.store.connection import connect
from projections.inline import rebuild

Admin = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def member(superuser: str, admin: Admin) -> Iterator[str]:
    """The conninfo of a login role that is member of the projector and nothing else."""
    name = f"t_{uuid.uuid4().hex[:8]}"
    admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p' IN ROLE jobledger_projector")
    yield make_conninfo(superuser, user=name, password="p")
    admin.execute(f"DROP ROLE {name}")


def test_rebuild_works_for_a_member_of_the_projector(ledger: Ledger, admin: Admin, member: str) -> None:
    """Neither a superuser nor an owner is needed, and writer and reader have afterwards what they had before."""
    ledger.plan("Build", job="a", entities=[{"type": "vm", "id": "1"}])
    with connect(member) as connection:
        assert rebuild.rebuild(connection) == 1
        assert set(rebuild.compare(connection).values()) == {0}
    ledger.start("a")
    assert ledger.job("a").phase == "running"
    for view in ("tracking", "job_status", "running_jobs", "job_expiry"):
        with admin.transaction():
            admin.execute("SET LOCAL ROLE jobledger_reader")
            admin.execute(f"SELECT * FROM projections.{view}")


def test_rebuild_is_not_for_the_writer(ledger: Ledger, conninfo: str) -> None:
    """Who appends may not replace the views."""
    with connect(conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        rebuild.rebuild(connection)
    assert ledger.plan("Build", job="a").position == 1
