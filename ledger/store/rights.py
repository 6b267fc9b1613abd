"""Which right a role lacks, and which role of the ledger has it, told where the database refused something."""

import re
from collections.abc import Mapping

from ledger.store.connection import connect
from ledger.store.inventory import ROLES, Inventory, expected, take
from ledger.store.owners import misowned
from ledger.store.statements import SQL

USES = {  # in the order in which they are offered
    "jobledger_reader": "to ask",
    "jobledger_writer": "to record",
    "jobledger_projector": "to build views",
    "jobledger_sealer": "to seal",
}
_REFUSED = re.compile(r"permission denied for (table|view|schema|function|sequence|type) (\w+)")
_NAMED = re.compile(r"^(\w+) (?:\w+\.)?(\w+)(?:\.\w+|\(.*\))?$")
Rights = Mapping[str, frozenset[str]]


def tell_lack(conninfo: str, sentence: str) -> str | None:
    """What must be granted for what the database refused with these words; None where it was nothing of the ledger's.

    A role of the ledger that lacks what it must have is named before another is offered; and what belongs to another
    than the owner of the ledger before all, since no grant mends that.
    """
    refused = _REFUSED.search(sentence)
    if refused is None:
        return None
    what = f"{refused[1]} {refused[2]}"
    with connect(conninfo) as connection:
        for thing in misowned(connection):
            if refused[2] in thing.bare_names:
                return f"{thing.sentence.removesuffix('.')} ({sentence})."
        rows = connection.execute(SQL["select_own_roles"], {"roles": ROLES}).fetchall()
        who = connection.execute("SELECT current_user::text AS who").fetchall()[0]["who"]
        must, has = _rights(expected(), what), _rights(take(connection), what)
    there = {row["role"] for row in rows}
    held = [row["role"] for row in rows if row["held"]]
    for role in held:
        if lack := must.get(role, frozenset()) - has.get(role, frozenset()):
            return (
                f"The role {role} must have {_listed(lack)} on {what}, and has not; run jobledger migrate ({sentence})."
            )
    mine = frozenset().union(*(must.get(role, frozenset()) for role in held))
    offered = {role: lack for role in USES if (lack := must.get(role, frozenset()) - mine)}
    if not offered:
        return None
    lack = frozenset().union(*offered.values()) if len(offered) == 1 else frozenset.intersection(*offered.values())
    named = ", or ".join(f"{role} {USES[role]}" for role in offered)
    missing = [role for role in offered if role not in there]
    if missing:
        return (
            f"The role {who} lacks {_listed(lack)} on {what}, and the roles that have it are missing: let somebody who "
            f"has CREATEROLE run jobledger migrate, then grant {who} {named} ({sentence})."
        )
    return f"The role {who} lacks {_listed(lack)} on {what}; grant it {named} ({sentence})."


def _rights(things: Inventory, what: str) -> Rights:
    """What each role may do with a thing, or with columns of it."""
    kind, name = what.split(" ")
    rights: dict[str, frozenset[str]] = {}
    for thing in things.values():
        where, _, role = thing.name.rpartition(" to ")
        named = _NAMED.match(where) if thing.kind == "grant" else None
        if named and named[2] == name and named[1] in (kind, *(["column"] if kind == "table" else [])):
            rights[role] = rights.get(role, frozenset()) | thing.words
    return rights


def _listed(rights: frozenset[str]) -> str:
    return ", ".join(sorted(rights)) or "what it needs"
