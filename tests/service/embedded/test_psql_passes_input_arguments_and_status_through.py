import subprocess
from collections.abc import Callable
from pathlib import Path

from ledger.service.embedded import EmbeddedServer

PSQL = "sys.exit(server.psql(['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-v', 'what=a b']))"


def test_psql_passes_input_arguments_and_status_through(
    server: EmbeddedServer, folder: Path, client: Callable[..., subprocess.Popen[str]]
) -> None:
    """psql reads our input with our arguments as superuser, whatever PG* variables say, and its status is returned."""
    server.start()
    good = client(PSQL, folder, PGHOST="elsewhere", PGUSER="nobody", PGSERVICE="none")
    said = good.communicate("SELECT :'what', current_user, current_database();\n", timeout=30)[0]
    assert (said, good.returncode) == ("a b|postgres|jobledger\n", 0)
    bad = client(PSQL, folder)
    bad.communicate("SELECT nothing;\n", timeout=30)
    assert bad.returncode == 3
