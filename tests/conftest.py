"""A real PostgreSQL for every test that needs one, and a fresh migrated database for each such test.

The server is `JOBLEDGER_TEST_DSN` where that is set, else a container where Docker answers, else the embedded one.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer("postgres:18", driver=None) as container:
        yield container.get_connection_url()


def _docker_answers() -> bool:
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    done = subprocess.run(
        (sys.executable, "-c", "import docker; docker.from_env(timeout=2).ping()"), capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of a superuser on the server of this run."""
    with ExitStack() as stack:
        if dsn := os.environ.get("JOBLEDGER_TEST_DSN"):
            yield dsn
        elif _docker_answers():
            yield stack.enter_context(_container())
        else:
            embedded = EmbeddedServer(Path(tmp_path_factory.mktemp("pg")))
            embedded.start()
            stack.callback(embedded.stop)
            yield embedded.conninfo()


def _execute(conninfo: str, statement: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def _database(server: str, template: str) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """The name of a migrated database to copy."""
    with _database(server, "template0") as conninfo:
        migrator().migrate(conninfo)
        yield str(psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"])


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    """A superuser's conninfo of a fresh database without a ledger."""
    with _database(server, "template0") as conninfo:
        yield conninfo


@pytest.fixture
def superuser(server: str, template: str) -> Iterator[str]:
    """A superuser's conninfo of a fresh database with an empty ledger."""
    with _database(server, template) as conninfo:
        yield conninfo


@pytest.fixture
def conninfo(superuser: str) -> str:
    """The writer's conninfo of a fresh database with an empty ledger."""
    return make_conninfo(superuser, options=WRITER)


@pytest.fixture
def ledger(conninfo: str) -> Iterator[Ledger]:
    """An empty ledger, as the writer."""
    with assemble(conninfo) as opened:
        yield opened


@pytest.fixture
def second(server: str, template: str) -> Iterator[str]:
    """The writer's conninfo of another fresh database with an empty ledger."""
    with _database(server, template) as made:
        yield make_conninfo(made, options=WRITER)
