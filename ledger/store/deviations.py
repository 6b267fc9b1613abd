"""How a database deviates from what migrations make: what is not the ledger's, what is missing, what was changed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from psycopg import Connection

from ledger.store.diagnosis import Diagnosis, Level
from ledger.store.inventory import BAR, SCHEMAS, Inventory, Thing, as_printed_here, granted_to
from ledger.store.mending import VIEW_SCHEMAS, is_of
from ledger.store.missing import ALWAYS, PUT_BACK

FINDINGS_MAX = 20  # of one code
SHOWN_MAX = 300  # characters of what a thing is like
AGAIN = "put it back as jobledger migrate --print has it"
MENDED = "run jobledger migrate"
ANEW = "run jobledger migrate, which makes the views anew"
GRANTS = ("grant", "default grant")
WHO_MIGRATES = "who migrates"  # as grants are told: the owner, and every superuser


class Concern(NamedTuple):
    """Under which code a kind of thing is told of, and how bad it is where one is not the ledger's."""

    code: str
    stranger: Level = "error"


CONCERNS = {
    "function": Concern("functions"),
    "procedure": Concern("functions"),
    "aggregate": Concern("functions"),
    "window function": Concern("functions"),
    "trigger": Concern("triggers"),
    "rule": Concern("rules"),
    "policy": Concern("row_security"),
    "row security": Concern("row_security"),
    "event trigger": Concern("event_triggers", "warning"),
    "cast": Concern("casts", "warning"),
    "view": Concern("definitions"),
    "materialized view": Concern("definitions"),
    "schema": Concern("tables"),
    "table": Concern("tables", "warning"),
    "foreign table": Concern("tables"),
    "sequence": Concern("tables", "warning"),
    "column": Concern("columns"),
    "constraint": Concern("columns"),
    "index": Concern("indexes", "warning"),
    "grant": Concern("privileges"),
    "default grant": Concern("privileges"),
    "role": Concern("role_attributes"),
    "membership": Concern("role_attributes"),
}
OTHER = Concern("objects")  # operators, types and all else that a schema may hold

WELL = {
    "functions": "No function is there but the ledger's, each as it was made.",
    "triggers": "The triggers keep order, and refuse changes.",
    "rules": "No rule rewrites what is asked of the ledger.",
    "row_security": "No row is hidden from anybody.",
    "definitions": "The views show what they were made to show.",
    "tables": "The tables are there.",
    "columns": "The columns have the types, defaults and checks that they were made with.",
    "indexes": "The indexes are there.",
    "objects": "No operator or type is there but the ledger's.",
    "privileges": "No role may do more than it must, or less.",
    "role_attributes": "The roles of the ledger are no more than that.",
}


def examine_inventory(connection: Connection[Any], expected: Inventory, there: Inventory) -> Iterator[Diagnosis]:
    """What deviates, 20 findings of a code at most; and for each code without any, that all is well."""
    by_code: dict[str, list[Diagnosis]] = {code: [] for code in WELL}
    for finding in _deviations(connection, granted_to(expected, there), there):
        by_code.setdefault(finding.code, []).append(finding)
    for code, findings in by_code.items():
        yield from findings[:FINDINGS_MAX]
        if len(findings) > FINDINGS_MAX:
            more = len(findings) - FINDINGS_MAX
            yield Diagnosis(code, _worst(findings), f"There are {more:,} more; mend the first, and look again.")
        if not findings:
            yield Diagnosis(code, "ok", WELL[code])


def _worst(findings: list[Diagnosis]) -> Level:
    return "error" if any(finding.level == "error" for finding in findings) else "warning"


def missing_roles(expected: Inventory, there: Inventory) -> list[str]:
    """The roles of the ledger that the cluster lacks."""
    return [name for kind, name in expected if kind == "role" and (kind, name) not in there]


def _is_use(grant: Thing, role: str) -> bool:
    """Whether a grant lets a role use a schema, without which it uses nothing here."""
    return grant.name.startswith("schema ") and grant.name.endswith(f" to {role}")


def _deviations(connection: Connection[Any], expected: Inventory, inventory: Inventory) -> Iterator[Diagnosis]:
    ours = {name for kind, name in expected if kind == "role"}
    used = {
        name for name in ours if any(kind == "grant" and _is_use(thing, name) for (kind, _), thing in inventory.items())
    }
    for key in sorted(expected.keys() | inventory.keys()):
        wanted, there = expected.get(key), inventory.get(key)
        if wanted == there:
            continue
        thing = there or wanted
        assert thing is not None  # noqa: S101 - the key is in one of them
        concern = CONCERNS.get(thing.kind, OTHER)
        if thing.kind in GRANTS:
            yield from _of_excess(concern.code, thing, wanted, there, ours)
            yield from _of_lack(concern.code, thing, wanted, there, used)
        elif thing.kind in ("role", "membership"):
            yield from _of_role(concern.code, thing, wanted, there)
        elif there is None:
            yield Diagnosis(concern.code, "error", f"The {thing.kind} {thing.name} is missing; {_remedy(thing)}.")
        elif wanted is None:
            yield Diagnosis(concern.code, _badness(concern, thing), _stranger(thing))
        elif thing.kind == "view":
            yield from _of_view(connection, concern.code, wanted, there)
        else:
            yield Diagnosis(concern.code, "error", _changed(wanted, there))


def _remedy(missing: Thing) -> str:
    of_views = any(is_of(schema, missing.kind, missing.name) for schema in VIEW_SCHEMAS)
    if of_views or missing.kind == "schema":
        return ANEW
    return MENDED if missing.kind in PUT_BACK else AGAIN


def _of_view(connection: Connection[Any], code: str, wanted: Thing, there: Thing) -> Iterator[Diagnosis]:
    here = as_printed_here(connection, wanted)
    if here is None:
        sentence = f"Whether the view {there.name} is as it was made is not seen by who may create nothing temporary"
        yield Diagnosis(code, "warning", f"{sentence}; ask on the primary, as its owner.")
    elif here != there:
        yield Diagnosis(code, "error", _changed(here, there))


def _badness(concern: Concern, thing: Thing) -> Level:
    """A cast lies in no schema, and is of ours where it is of a type in one."""
    if thing.kind == "cast" and any(f"{schema}." in thing.name for schema in SCHEMAS):
        return "error"
    return concern.stranger


def _stranger(thing: Thing) -> str:
    if thing.kind == "event trigger":
        return (
            f"The event trigger {thing.name} {thing.detail.replace(BAR, ' ')}, in every session that changes a schema; "
            "see that it is yours."
        )
    if thing.kind == "row security":
        return f"The row security of {thing.name} hides rows from who asks; disable it."
    like = f" ({_short(thing.detail)})" if thing.detail else ""
    return f"The {thing.kind} {thing.name}{like} is not the ledger's; see whose it is, and drop it."


def _changed(wanted: Thing, there: Thing) -> str:
    lacks, has = _parts(wanted, there), _parts(there, wanted)
    state = f"has {has}" if has else "has not"
    remedy = MENDED if there.kind == "trigger" and lacks == ALWAYS else AGAIN
    return f"The {there.kind} {there.name} must have {lacks or 'nothing more'}, and {state}; {remedy}."


def _parts(thing: Thing, other: Thing) -> str:
    return _short(", ".join(word for word in thing.detail.split(BAR) if word not in other.words))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}…"


def _of_excess(
    code: str, thing: Thing, wanted: Thing | None, there: Thing | None, ours: set[str]
) -> Iterator[Diagnosis]:
    what, who, role = _read_grant(thing)
    excess = (there.words if there else frozenset()) - (wanted.words if wanted else frozenset())
    if excess:
        level: Level = "error" if who in ours or who == "PUBLIC" else "warning"
        mended = level == "error" if thing.kind == "grant" else thing.name.startswith(f"what {WHO_MIGRATES} makes")
        remedy = "run jobledger migrate, or revoke it" if mended else "revoke it"
        yield Diagnosis(code, level, f"{role} must not have {_listed(excess)} {what}; {remedy}.")


def _of_lack(code: str, thing: Thing, wanted: Thing | None, there: Thing | None, used: set[str]) -> Iterator[Diagnosis]:
    what, who, role = _read_grant(thing)
    lack = (wanted.words if wanted else frozenset()) - (there.words if there else frozenset())
    if lack:
        level: Level = "error" if who in used else "warning"
        yield Diagnosis(code, level, f"{role} must have {_listed(lack)} {what}, and has not; run jobledger migrate.")


def _read_grant(thing: Thing) -> tuple[str, str, str]:
    """What a grant is about in words, to whom it is, and who that is in words."""
    what, _, who = thing.name.rpartition(" to ")
    on = f"on {what}" if thing.kind == "grant" else f"by default on {what}"
    return on, who, f"The role {who}" if who != "PUBLIC" else "Everybody (PUBLIC)"


def _of_role(code: str, thing: Thing, wanted: Thing | None, there: Thing | None) -> Iterator[Diagnosis]:
    if there is None:
        return  # a role that is missing is told once, with what that means
    if thing.kind == "membership":
        member, _, group = thing.name.partition(" in ")
        yield Diagnosis(code, "error", f"The role {member} must not be a member of {group}; revoke it.")
    elif wanted is not None:
        for word in sorted(there.words - wanted.words):
            level: Level = "warning" if word == "LOGIN" else "error"
            yield Diagnosis(
                code, level, f"The role {thing.name} must not have {word}; ALTER ROLE {thing.name} NO{word}."
            )


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))
