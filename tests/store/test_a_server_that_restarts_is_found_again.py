from pathlib import Path

from psycopg.conninfo import make_conninfo

from ledger.service.assembly import assemble
from ledger.service.embedded import EmbeddedServer
from ledger.service.readiness import WRITER, migrator


def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        migrator().migrate(server.conninfo())
        with assemble(make_conninfo(server.conninfo(), options=WRITER)) as ledger:
            ledger.plan("T", job="a", entities=[{"type": "vm", "id": "v"}])
            server.stop()
            server.start()

            assert ledger.start("a").position == 2
            server.stop()
            server.start()
            assert ledger.busy("vm/v").busy
    finally:
        server.stop()
