"""A real PostgreSQL for every test that needs one, and a fresh migrated database for each such test.

The server is `JOBLEDGER_TEST_DSN` where that is set, else a container where Docker answers and has the image, else the
embedded one; JOBLEDGER_TEST_SERVER asks for `container` or `embedded`.
"""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator

IMAGE = "postgres:18"


def pytest_configure() -> None:
    """What runs in the background of a shell ignores an interrupt, and so would each command that a test interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Which server the tests run on."""
    return f"PostgreSQL: {_which()[1]}"


@cache
def _which() -> tuple[str, str]:
    """The server of this run, and what there is to say of it."""
    if os.environ.get("JOBLEDGER_TEST_DSN"):
        return "dsn", "JOBLEDGER_TEST_DSN"
    asked = os.environ.get("JOBLEDGER_TEST_SERVER")
    if asked != "embedded" and (os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists()):
        found = subprocess.run((sys.executable, "-c", HAS_IMAGE, IMAGE), capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return "container", f"a container of {IMAGE}"
        if asked is None and found.returncode == NO_IMAGE:
            return "embedded", f"embedded, for Docker answers and has no image {IMAGE} (docker pull {IMAGE})"
    if asked == "container":
        pytest.exit(
            f"Docker must answer and have the image {IMAGE}, as JOBLEDGER_TEST_SERVER asks for, and does not.", 69
        )
    return "embedded", "embedded"


NO_IMAGE = 3
HAS_IMAGE = f"""
import docker, sys
client = docker.from_env(timeout=5)
client.ping()
try:
    client.images.get(sys.argv[1])
except docker.errors.ImageNotFound:
    sys.exit({NO_IMAGE})
"""


@contextmanager
def _container() -> Iterator[str]:
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")  # whose image is another that may not be there
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(IMAGE, driver=None, username="postgres").with_command("-c max_connections=200") as container:
        yield container.get_connection_url()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of a superuser on the server of this run."""
    with ExitStack() as stack:
        which, _ = _which()
        if which == "dsn":
            yield os.environ["JOBLEDGER_TEST_DSN"]
        elif which == "container":
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
