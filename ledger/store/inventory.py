"""What a database has in the schemas of the ledger, and what a freshly migrated one has there.

The second is kept in `inventory.tsv`, a line a thing, which `scripts/inventory` writes from a fresh database and a test
holds equal to one: so nothing that migrations make is listed by hand, and whatever else is there is not the ledger's.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.store.statements import SQL

NAME = "inventory.tsv"
BAR = " | "  # between the words of a detail
SCHEMAS = re.findall(r"'(\w+)'", SQL["create_schemas"].partition("LOOP")[0])
ROLES = re.findall(r"'(jobledger_\w+)'", SQL["create_roles"])
_QUESTIONS = ("select_relations", "select_code", "select_grants", "select_roles")
_VIEW = "as "
ALL = "PUBLIC"  # all roles together
WRITER, SEALER = "jobledger_writer", "jobledger_sealer"


class Thing(NamedTuple):
    """A thing by its kind and name, which are unique together, and in words what it is like."""

    kind: str
    name: str
    detail: str

    @property
    def words(self) -> frozenset[str]:
        """What it is like, part by part."""
        return frozenset(filter(None, self.detail.split(BAR)))


Inventory = Mapping[tuple[str, str], Thing]


def take(connection: Connection[Any]) -> Inventory:
    """What a database has; nothing is changed, and any role may ask."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
        with connection.cursor(row_factory=tuple_row) as cursor:
            rows = [row for name in _QUESTIONS for row in _ask(cursor, name)]
    return _by_name(Thing(kind, name, " ".join((detail or "").split())) for kind, name, detail in rows)


def _ask(cursor: Cursor[Any], name: str) -> list[tuple[str, str, str | None]]:
    statement = "\n".join((SQL["with_places"], SQL[name]))
    return cursor.execute(statement, {"schemas": SCHEMAS, "roles": ROLES}).fetchall()


def expected() -> Inventory:
    """What a freshly migrated database has."""
    text = (files("ledger.store") / NAME).read_text(encoding="utf-8")
    return _by_name(Thing(*line.split("\t")) for line in text.splitlines())


def granted_to(wanted: Inventory, there: Inventory) -> Inventory:
    """What can be expected where roles are missing: nothing is granted to these; without a sealer, who writes seals."""
    missing = {name for kind, name in wanted if kind == "role" and (kind, name) not in there}
    if not missing:
        return wanted
    kept: dict[tuple[str, str], Thing] = {}
    for thing in wanted.values():
        what, _, who = thing.name.rpartition(" to ")
        name = thing.name
        if thing.kind == "grant" and who == SEALER in missing and WRITER not in missing:
            name = f"{what} to {WRITER}"
        elif (thing.kind == "grant" and who in missing) or (thing.kind == "role" and name in missing):
            continue
        before = kept.get((thing.kind, name))
        words = thing.words | before.words if before else thing.words
        detail = BAR.join(sorted(words)) if thing.kind == "grant" else thing.detail
        kept[thing.kind, name] = Thing(thing.kind, name, detail)
    return kept


def print_inventory(things: Inventory) -> str:
    """The text of the file, in order."""
    return "".join("\t".join(things[key]) + "\n" for key in sorted(things))


def _by_name(things: Iterable[Thing]) -> Inventory:
    return {(thing.kind, thing.name): thing for thing in things}


def as_printed_here(connection: Connection[Any], view: Thing) -> Thing | None:
    """A view as this server would print its definition: releases of PostgreSQL write the same query differently.

    It is put up under a name of this session for that, and taken back; None where that is not allowed.
    """
    words = view.detail.split(BAR)
    query = words[-1].removeprefix(_VIEW).rstrip("; ")
    try:
        with connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL search_path = pg_catalog, pg_temp")
            connection.execute(f"CREATE TEMPORARY VIEW jobledger_expected AS {query}")
            printed = connection.execute(SQL["select_expected_view"]).fetchall()[0]["printed"]
    except psycopg.Error:
        return None
    return view._replace(detail=BAR.join([*words[:-1], _VIEW + " ".join(printed.split())]))
