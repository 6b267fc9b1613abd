import json
import subprocess

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ledger.application import Ledger
from ledger.records.lines import PAGE_LINES_MAX
from tests.service.cli.conftest import COMMAND, environment, plan


def _lines(first: int, count: int) -> bytes:
    return b"".join(json.dumps(plan(f"j{n}")).encode() + b"\n" for n in range(first, first + count))


def test_an_import_whose_database_goes_away_keeps_its_tally(server: str, superuser: str, conninfo: str) -> None:
    """It says so, exits as for a database that is away, and can be repeated."""
    name = conninfo_to_dict(superuser)["dbname"]
    words = (*COMMAND, "import", "-", "-o", "json")
    with subprocess.Popen(
        words, env=environment(conninfo), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(_lines(0, PAGE_LINES_MAX + 1))
        process.stdin.flush()
        with psycopg.connect(server, autocommit=True) as admin:
            _wait_for(superuser, PAGE_LINES_MAX)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            out, err = process.communicate(_lines(PAGE_LINES_MAX + 1, PAGE_LINES_MAX), timeout=100)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    assert process.returncode == 69, err
    tally = json.loads(out)
    assert (tally["read"], tally["recorded"], tally["position"]) == (PAGE_LINES_MAX,) * 3
    stopped, why = err.decode().splitlines()
    assert stopped.startswith("The import stopped; repeat it")
    assert why.startswith("jobledger: ")


def _wait_for(superuser: str, position: int) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("LISTEN stored_events")
        while connection.execute("SELECT count(*) FROM ledger.stored_events").fetchall()[0][0] < position:
            for _ in connection.notifies(timeout=5, stop_after=1):
                pass


def test_the_position_of_a_tally_is_that_of_its_last_line(ledger: Ledger) -> None:
    seen = []
    ledger.import_records(_lines(0, PAGE_LINES_MAX + 7).splitlines(), on_page=lambda it: seen.append(it.position))

    assert seen == [PAGE_LINES_MAX, PAGE_LINES_MAX + 7, PAGE_LINES_MAX + 7]
