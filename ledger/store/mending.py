"""Mends what a restore, a copy or an administrator left otherwise than migrations make it, without a word of history.

Events are never touched. Views can be made anew from them; owners, grants, triggers and sequences are put back as
`inventory.tsv` has them; and the ledger is called again what the things that are sealed in it call it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.errors import Diagnostic

from ledger.errors import Unavailable
from ledger.store.inventory import ALL, Inventory, Thing, expected, granted_to, take
from ledger.store.statements import SQL

VIEW_SCHEMAS = ("projections", "history")
TOLD = "JL000"  # the state of a notice that whoever migrates must read
_PARTS = ("table", "view", "column", "index", "constraint", "function")
_CODE = ("function", "procedure", "aggregate", "trigger", "rule", "policy", "row security", "constraint", "column")
_KINDS = {"table": "TABLE", "view": "TABLE", "sequence": "SEQUENCE", "schema": "SCHEMA", "type": "TYPE",
          "function": "FUNCTION"}  # fmt: skip
OWNED_BY = "owned by "


@contextmanager
def hear(connection: Connection[Any], tell: Callable[[str], None]) -> Iterator[None]:
    """Let `tell` hear the sentences that our own statements say of what they do."""

    def notice(diagnostic: Diagnostic) -> None:
        if diagnostic.sqlstate == TOLD and diagnostic.message_primary:
            tell(diagnostic.message_primary)

    connection.add_notice_handler(notice)
    try:
        yield
    finally:
        connection.remove_notice_handler(notice)


def lacking_views(connection: Connection[Any], whole: Collection[str]) -> list[str]:
    """The schemas of views of which something is missing; `whole` are those of which no migration is pending.

    Of one that is not whole, nobody can say what it must have but the first of all tables; one that is there though no
    migration ever made it, as after a restore of that schema alone, is not believed.
    """
    there = take(connection)
    if ("table", "ledger.migrations") not in there:
        return [schema for schema in VIEW_SCHEMAS if _is_there(there, f"{schema}.tracking")]
    applied = {row["schema"] for row in connection.execute(SQL["select_migrations"]).fetchall()}
    wanted = expected()
    schemas = []
    for schema in VIEW_SCHEMAS:
        lacks = not _is_there(there, f"{schema}.tracking")
        if schema not in applied:
            lacks = not lacks
        elif schema in whole:
            lacks = any(key not in there for key in wanted if key[0] in _PARTS and is_of(schema, *key))
        if lacks:
            schemas.append(schema)
    return schemas


def _is_there(things: Inventory, table: str) -> bool:
    return ("table", table) in things


def is_of(schema: str, kind: str, name: str) -> bool:
    """Whether a thing is in a schema, by its kind and name."""
    if kind in ("constraint", "trigger", "rule", "policy"):
        return f" on {schema}." in name
    return name.startswith(f"{schema}.")


def mend(connection: Connection[Any]) -> None:
    """Put back what migrations made; for who acts as the owner of the ledger, once all of them are applied."""
    if connection.execute(SQL["select_misowned"]).fetchall()[0]["misowned"]:
        _own(connection)
    for name in ("mend_triggers", "mend_identity", "mend_sequences"):
        connection.execute(SQL[name])
    wanted, there = expected(), take(connection)
    for statement in _grants(granted_to(wanted, there), there):
        connection.execute(statement)


def _own(connection: Connection[Any]) -> None:
    """Let the owner of the ledger own what is in it, where that is what migrations made and nothing else."""
    wanted, there = expected(), take(connection)
    planted = [
        thing.name for key, thing in there.items() if thing.kind in _CODE and not _is_as_made(wanted.get(key), thing)
    ]
    if planted:
        names = ", ".join(sorted(planted)[:10])
        raise Unavailable(
            "Not all of the ledger belongs to its owner, who takes over nothing that others planted, and "
            f"{names} is not as it was made; see jobledger doctor, drop it, and migrate again.",
            planted=planted,
        )
    connection.execute(SQL["reset_role"])
    connection.execute(SQL["own_events"])
    connection.execute(SQL["become_owner"])


def _is_as_made(wanted: Thing | None, there: Thing) -> bool:
    return wanted is not None and _without_owner(wanted) == _without_owner(there)


def _without_owner(thing: Thing) -> set[str]:
    words = {word for word in thing.words if not word.startswith(OWNED_BY)}
    # Whether a trigger runs always is mended apart.
    return {word for word in words if thing.kind != "trigger" or not word.startswith(("enabled", "disabled"))}


def _grants(wanted: Inventory, there: Inventory) -> Iterator[str]:
    """What takes from the ledger's roles and from all others together what they must not have, and gives the rest."""
    roles = {name for kind, name in there if kind == "role"}
    ours = roles | {ALL}
    known = {f"{kind} {name}" for kind, name in wanted.keys() & there.keys() if kind in _KINDS or kind == "column"}
    for key in sorted({key for key in wanted.keys() | there.keys() if key[0] == "grant"}):
        what, _, who = key[1].rpartition(" to ")
        if who not in ours or what not in known:
            continue
        must = wanted[key].words if key in wanted else frozenset()
        has = there[key].words if key in there else frozenset()
        for word in sorted(has - must):
            yield f"REVOKE {_right(word, what)} FROM {who}"
        for word in sorted(must - has):
            yield f"GRANT {_right(word, what)} TO {who}"


def _right(word: str, what: str) -> str:
    """A right on a thing, as GRANT and REVOKE name it."""
    right = word.removesuffix(" for others too")
    kind, _, name = what.partition(" ")
    if kind == "column":
        table, _, column = name.rpartition(".")
        return f"{right} ({column}) ON TABLE {table}"
    return f"{right} ON {_KINDS[kind]} {name}"
