"""What migrations made in the schema of the events and somebody dropped, or a restore left out: put back, or named.

The inventory has the definition of each trigger, constraint and index, as PostgreSQL prints it; of tables, columns,
functions and all else it does not have enough. Views are made anew apart.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import psycopg
from psycopg import Connection

from ledger.errors import Unavailable
from ledger.store.inventory import BAR, Inventory, Thing, expected

SCHEMA = "ledger"
NAMED_MAX = 50
ALWAYS = "enabled always"
_APART = ("grant", "default grant", "role", "membership", "schema")
PUT_BACK = ("constraint", "index", "trigger")


def is_lacking(there: Inventory) -> bool:
    """Whether anything is missing in the schema of the events."""
    return bool(_lacking(there))


def put_back(connection: Connection[Any], there: Inventory, tell: Callable[[str], None]) -> None:
    """Make anew what is missing beside what is there; for who acts as the owner, once all migrations are applied.

    Raises `Unavailable` naming all that cannot be made anew, or that the rows there are against.
    """
    lacking = _lacking(there)
    if not lacking:
        return
    lost = [thing for thing in lacking if thing.kind not in PUT_BACK]
    if lost:
        _refuse(
            f"{_named(lost)}, which jobledger migrate cannot make anew; restore the schema {SCHEMA} from a backup, or "
            "put it back as jobledger migrate --print has it",
            lost,
        )
    for thing in lacking:
        _make(connection, thing)
    tell(f"The ledger has again what was missing: {_named(lacking)}.")


def _lacking(there: Inventory) -> list[Thing]:
    """In the order of the inventory; a table stands for its columns, and a constraint for its index."""
    wanted = expected()
    lacking = [wanted[key] for key in sorted(wanted.keys() - there.keys()) if _is_events(wanted[key])]
    tables = {thing.name for thing in lacking if thing.kind == "table"}
    made = {f"{SCHEMA}.{thing.name.partition(' on ')[0]}" for thing in lacking if thing.kind == "constraint"}
    implied = {"column": lambda name: name.rpartition(".")[0] in tables, "index": lambda name: name in made}
    return [thing for thing in lacking if thing.kind not in implied or not implied[thing.kind](thing.name)]


def _is_events(thing: Thing) -> bool:
    return thing.kind not in _APART and (thing.name.startswith(f"{SCHEMA}.") or f" on {SCHEMA}." in thing.name)


def _make(connection: Connection[Any], thing: Thing) -> None:
    try:
        with connection.transaction():
            for statement in _statements(thing):
                connection.execute(statement)
    except (psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        sentence = " ".join(str(error).split())
        _refuse(f"{_named([thing])}, which cannot be made anew ({sentence}); mend what is in the way", [thing])


def _statements(thing: Thing) -> list[str]:
    name, _, table = thing.name.partition(" on ")
    if thing.kind == "constraint":
        return [f"ALTER TABLE {table} ADD CONSTRAINT {name} {thing.detail}"]
    if thing.kind == "index":
        return [thing.detail]
    return [thing.detail.removeprefix(ALWAYS + BAR), f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"]


def _refuse(what: str, lost: list[Thing]) -> NoReturn:
    names = [thing.name for thing in lost]
    raise Unavailable(f"The ledger lacks {what}, and migrate again; nothing was changed.", missing=names)


def _named(things: list[Thing]) -> str:
    names = [f"the {thing.kind} {thing.name}" for thing in things[:NAMED_MAX]]
    more = [f"and {len(things) - NAMED_MAX:,} more"] if len(things) > NAMED_MAX else []
    return ", ".join([*names, *more])
