"""Mends what a restore, a copy or an administrator left otherwise than migrations make it, without a word of history.

Events are never touched. Views can be made anew from them; owners, grants, triggers and sequences are put back as
`inventory.tsv` has them; and the ledger is called again what the things that are sealed in it call it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.errors import Diagnostic

from ledger.store.inventory import ALL, Inventory, expected, granted_to, take
from ledger.store.owners import put_right
from ledger.store.statements import SQL

VIEW_SCHEMAS = ("projections", "history")
TOLD = "JL000"  # the state of a notice that whoever migrates must read
TOLD_MAX = 5  # rights of a role
_PARTS = ("table", "view", "column", "index", "constraint", "function")
_KINDS = {"table": "TABLE", "view": "TABLE", "sequence": "SEQUENCE", "schema": "SCHEMA", "type": "TYPE",
          "function": "FUNCTION"}  # fmt: skip


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


def mend(connection: Connection[Any], tell: Callable[[str], None]) -> Inventory:
    """Put back what migrations made, and take stock; for who acts as the owner, once all migrations are applied."""
    connection.execute(SQL["reset_role"])
    put_right(connection, tell, is_whole=lambda: True)
    connection.execute(SQL["become_owner"])
    for name in ("mend_triggers", "mend_identity", "mend_sequences"):
        connection.execute(SQL[name])
    wanted, there = expected(), take(connection)
    statements = list(_grants(granted_to(wanted, there), there))
    for statement in statements:
        connection.execute(statement)
    return take(connection) if statements else there


def tell_rights(before: Inventory, after: Inventory, anew: Collection[str], tell: Callable[[str], None]) -> None:
    """Say which rights each role was given or lost by a migration, on what was there before it; `anew` are schemas."""
    given: dict[str, list[str]] = {}
    taken: dict[str, list[str]] = {}
    for key in sorted(key for key in before.keys() | after.keys() if key[0] == "grant"):
        what, _, who = key[1].rpartition(" to ")
        kind, _, name = what.partition(" ")
        if not _stayed(kind, name, before, after) or any(is_of(schema, kind, name) for schema in anew):
            continue
        was, has = (things[key].words if key in things else frozenset() for things in (before, after))
        given.setdefault(who, []).extend(f"{word} on {what}" for word in sorted(has - was))
        taken.setdefault(who, []).extend(f"{word} on {what}" for word in sorted(was - has))
    for who, rights in given.items():
        if rights:
            tell(f"To {who} was granted {_first(rights)}.")
    for who, rights in taken.items():
        if rights:
            tell(f"From {who} was revoked {_first(rights)}.")


def _stayed(kind: str, name: str, before: Inventory, after: Inventory) -> bool:
    return (kind, name) in before and (kind, name) in after


def _first(rights: list[str]) -> str:
    more = [f"and {len(rights) - TOLD_MAX:,} rights more"] if len(rights) > TOLD_MAX else []
    return ", ".join([*rights[:TOLD_MAX], *more])


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
