"""The race for minutes, on a PostgreSQL of its own: `python -m tests.races.run [MINUTES]`; exit 1 tells of a fault."""

import sys
import tempfile
from pathlib import Path

from psycopg.conninfo import make_conninfo

from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator
from tests.races.log import violations
from tests.races.race import race


def main(minutes: float) -> int:
    """Race, check the log, and print what there is to say; the number of violations is returned."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "pg")
        server.start()
        try:
            migrator().migrate(server.conninfo())
            conninfo = make_conninfo(server.conninfo(), options=WRITER)
            callers = race(conninfo, minutes * 60)
            with assemble(conninfo) as ledger:
                found = violations(transcribe(ledger.events()))
                events = ledger.position()
        finally:
            server.stop()
    for violation in found:
        print(violation)
    admitted, refused = (sum(counts) for counts in zip(*callers, strict=True))
    print(
        f"{len(callers)} callers in {minutes:g} minutes: {admitted:,} plans admitted, {refused:,} plans and attaches "
        f"refused, {events:,} events, {len(found):,} violations"
    )
    return len(found)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5) > 0)
