import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

UID = 65534
START = (
    "import os; server.start(); import psycopg; psycopg.connect(server.conninfo()).close(); "
    "print(os.geteuid(), server.status().running, server.stop(), Path(sys.argv[1]).stat().st_uid)"
)
AS_NOBODY = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups")
MAY_READ = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")  # an interpreter in root's home


def test_ordinary_user_is_served(parent: Path, folder: Path, client: Callable[..., subprocess.Popen[str]]) -> None:
    """The same calls work for a user who is not root; as root the test becomes nobody to see it."""
    if os.geteuid() != 0:
        said = client(START, folder).communicate(timeout=60)[0]
        assert said == f"{os.geteuid()} True True {os.geteuid()}\n"
        return
    os.chown(parent, UID, UID)
    for before in (AS_NOBODY, (*AS_NOBODY, *MAY_READ)):
        if _can_import(client, folder, before):
            said = client(START, folder, *before).communicate(timeout=60)[0]
            assert said == f"{UID} True True {UID}\n"
            return
    pytest.skip("no other user may read this interpreter")


def _can_import(client: Callable[..., subprocess.Popen[str]], folder: Path, before: tuple[str, ...]) -> bool:
    try:
        return client("print('imported')", folder, *before).communicate(timeout=60)[0] == "imported\n"
    except OSError:
        return False
