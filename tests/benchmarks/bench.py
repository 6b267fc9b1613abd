"""What every part is given: the server of this run, databases on it, and how long it may take."""

import itertools
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import SEALER, WRITER, migrator
from tests.benchmarks.measure import Budget, Spread

TEMPLATE = "empty_ledger"


@dataclass(frozen=True)
class Bench:
    """The server of this run, as its superuser, and what was asked for."""

    server: EmbeddedServer
    records: Path
    full: bool
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_database(self, *, template: str = "template0") -> str:
        """A superuser's conninfo of a fresh empty database."""
        name = f"b{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.server.conninfo(name)

    def new_ledger(self) -> str:
        """A superuser's conninfo of a fresh database with an empty ledger."""
        return self.new_database(template=TEMPLATE)

    def drop(self, conninfo: str) -> None:
        """Give the disk of a database back."""
        name = psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def budget(self, rounds: int, seconds: float) -> Budget:
        """A budget, four times as wide in a full run."""
        return Budget(rounds, seconds * (4 if self.full else 1))

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.server.conninfo(), autocommit=True) as connection:
            connection.execute(statement)


@dataclass(frozen=True)
class Findings:
    """What a part found: ratios by the names of `report.TARGETS`, all figures, and what there is to say of them."""

    ratios: dict[str, Spread | None]
    figures: dict[str, Any]
    notes: tuple[str, ...] = ()


@contextmanager
def opened(records: Path, *, full: bool) -> Iterator[Bench]:
    """A server in a folder of its own, gone at the end, however that comes."""
    with tempfile.TemporaryDirectory(prefix="jobledger-bench-") as folder:
        server = EmbeddedServer(Path(folder) / "pg")
        try:
            server.start()
            bench = Bench(server, records, full)
            bench._execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            migrator().migrate(server.conninfo(TEMPLATE))
            yield bench
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave the server behind
            server.stop()


def writer(superuser: str) -> str:
    """The conninfo of a service, which may append and no more."""
    return make_conninfo(superuser, options=WRITER)


def sealer(superuser: str) -> str:
    """The conninfo of who seals, and may no more."""
    return make_conninfo(superuser, options=SEALER)


def say(text: str) -> None:
    """Tell who waits what is being measured."""
    print(text, file=sys.stderr, flush=True)
