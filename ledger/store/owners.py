"""Whom the parts of a ledger belong to: all of them to its owner, and to nobody else.

What belongs to another, as a restore or an administrator may have left it, keeps the owner from his own ledger.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from psycopg import Connection

from ledger.errors import Unavailable
from ledger.store import append_lock
from ledger.store.diagnosis import Diagnosis
from ledger.store.inventory import ROLES, SCHEMAS, Inventory, Thing, as_printed_here, expected, take
from ledger.store.statements import SQL

NAMED_MAX = 20
REBUILD_SCHEMA = "projections_rebuild"  # what is there comes and goes
_CODE = ("function", "procedure", "aggregate", "trigger", "rule", "policy", "row security", "constraint", "column",
         "view", "materialized view")  # fmt: skip


class Misowned(NamedTuple):
    """A thing that belongs to another than the owner of the ledger."""

    kind: str
    name: str
    place: str  # its schema
    has: str  # whose it is
    must: str  # whose it must be
    sequences: list[str]  # of its columns, by their names in the schema
    trusted: bool  # whoever has it may do everything here, and need plant nothing
    needs_superuser: bool
    acts: bool  # whether who asks may act as the owner of the ledger
    may: bool  # and put it right

    @property
    def is_rebuilt(self) -> bool:
        """Whether it is of a rebuild, and may go."""
        return self.place == REBUILD_SCHEMA and self.kind in ("table", "view", "sequence")

    @property
    def bare_names(self) -> list[str]:
        """What the database calls it, and its sequences, where it refuses something."""
        return [self.name.partition("(")[0].rpartition(".")[2], *self.sequences]

    @property
    def remedy(self) -> str:
        """What puts it right."""
        return f"ALTER {self.kind.upper()} {self.name} OWNER TO {self.must}"

    @property
    def sentence(self) -> str:
        """What is wrong, and who has to say what."""
        who = "a superuser" if self.needs_superuser else f"a superuser, or a member of both {self.has} and {self.must},"
        return (
            f"The {self.kind} {self.name} belongs to {self.has}, and must belong to {self.must}; let {who} "
            f"run jobledger migrate, or say {self.remedy}."
        )


def misowned(connection: Connection[Any]) -> list[Misowned]:
    """What of the ledger belongs to another than its owner, schemas first; not what is none of the ledger's."""
    rows = connection.execute(SQL["select_misowned"], {"schemas": SCHEMAS, "roles": ROLES}).fetchall()
    things = [Misowned(**row) for row in rows]
    wanted = expected()
    return [thing for thing in things if thing.is_rebuilt or (thing.kind, thing.name) in wanted]


def examine_owners(connection: Connection[Any]) -> Iterator[Diagnosis]:
    """Each thing that belongs to another, and that all is well where there is none."""
    found = misowned(connection)
    for thing in found[:NAMED_MAX]:
        yield Diagnosis("owners", "error", thing.sentence)
    if len(found) > NAMED_MAX:
        more = len(found) - NAMED_MAX
        yield Diagnosis("owners", "error", f"There are {more:,} more; mend the first, and look again.")
    if not found:
        yield Diagnosis("owners", "ok", "Everything belongs to the owner of the ledger.")


def put_right(connection: Connection[Any], tell: Callable[[str], None], is_whole: Callable[[], bool]) -> None:
    """Let the owner of the ledger own what is in it; for who acts as himself.

    What others than a superuser had is taken only where no migration is pending (`is_whole`), since then it is known
    that it is as migrations made it, and nothing planted is run with the owner's rights. Raises `Unavailable` where
    whoever migrates may not say it, or where something was planted.
    """
    found = misowned(connection)
    if not found or not found[0].acts:
        return  # who may not act as the owner is told that
    unable = [thing for thing in found if not thing.may]
    if unable:
        raise Unavailable(_listed(thing.sentence for thing in unable), misowned=[thing.name for thing in unable])
    _alter(connection, tell, [thing for thing in found if thing.trusted])
    others = [thing for thing in found if not thing.trusted]
    # Where the projector owned the schemas of the views, as it did once, these are looked through apart.
    if others and not any(thing.kind == "schema" and thing.place != "ledger" for thing in others) and is_whole():
        _refuse_planted(connection)
        _alter(connection, tell, others)


def _alter(connection: Connection[Any], tell: Callable[[str], None], things: Collection[Misowned]) -> None:
    if things:  # which an append would wait for, or it for the append
        append_lock.take(connection, "take_append_lock_alone")
    for thing in things:
        # Of what is of a rebuild the inventory does not say how it was made; the next one makes it anew.
        connection.execute(thing.remedy if thing.trusted or not thing.is_rebuilt else f"DROP {thing.kind} {thing.name}")
    for who in sorted({thing.must for thing in things}):
        names = _shown([f"{thing.kind} {thing.name}" for thing in things if thing.must == who])
        tell(f"To {who} belongs again: {names}.")


def _shown(names: list[str]) -> str:
    more = [f"and {len(names) - NAMED_MAX:,} more"] if len(names) > NAMED_MAX else []
    return ", ".join([*names[:NAMED_MAX], *more])


def _listed(sentences: Iterable[str]) -> str:
    told = list(sentences)
    more = [f"There are {len(told) - NAMED_MAX:,} more."] if len(told) > NAMED_MAX else []
    return " ".join([*told[:NAMED_MAX], *more])


def _refuse_planted(connection: Connection[Any]) -> None:
    wanted, there = expected(), take(connection)
    planted = [name for (kind, name) in there if kind in _CODE and _is_planted(connection, wanted, there[kind, name])]
    if planted:
        names = ", ".join(sorted(planted)[:10])
        raise Unavailable(
            "Not all of the ledger belongs to its owner, who takes over nothing that others planted, and "
            f"{names} is not as it was made; see jobledger doctor, drop it, and migrate again.",
            planted=planted,
        )


def _is_planted(connection: Connection[Any], wanted: Inventory, there: Thing) -> bool:
    made = wanted.get((there.kind, there.name))
    if made is not None and there.kind == "view" and made != there:
        made = as_printed_here(connection, made)
    return made is None or _as_code(made) != _as_code(there)


def _as_code(thing: Thing) -> set[str]:
    """What it is like; whether a trigger runs always is mended apart."""
    return {word for word in thing.words if thing.kind != "trigger" or not word.startswith(("enabled", "disabled"))}
