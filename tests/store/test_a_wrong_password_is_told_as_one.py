from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.errors import AccessDenied, DatabaseAway
from ledger.service.assembly import open_ledger
from ledger.service.embedded import EmbeddedServer

RULES = "local all alice scram-sha-256\nlocal all mallory reject\nlocal all all trust\n"


def test_a_wrong_password_is_told_as_one(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    try:
        with psycopg.connect(server.conninfo(), autocommit=True) as admin:
            admin.execute("CREATE ROLE alice LOGIN PASSWORD 'right'")
            admin.execute("CREATE ROLE mallory LOGIN")
            (rules,) = admin.execute("SHOW hba_file").fetchall()[0]
            Path(rules).write_text(RULES)
            admin.execute("SELECT pg_reload_conf()")

        with pytest.raises(AccessDenied, match="password"):
            open_ledger(make_conninfo(server.conninfo(), user="alice", password="wrong"))
        with pytest.raises(AccessDenied, match="password"):
            open_ledger(make_conninfo(server.conninfo(), user="alice"))
        with pytest.raises(AccessDenied, match="refuses this user"):
            open_ledger(make_conninfo(server.conninfo(), user="mallory"))
        with pytest.raises(AccessDenied, match="refuses this user"):
            open_ledger(make_conninfo(server.conninfo(), user="nobody_here"))
        with pytest.raises(DatabaseAway, match="no such database"):
            open_ledger(make_conninfo(server.conninfo(), dbname="nowhere"))
    finally:
        server.stop()
