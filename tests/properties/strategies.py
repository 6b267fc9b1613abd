"""Values that no friend would send: every fact, with hostile texts, big numbers and deep payloads."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from ledger.domain.commands import Transition, parse_transition
from ledger.domain.events import JOB_FACTS, LEDGER_FACTS, OWNER_FACTS, Break, Event, Planned
from ledger.domain.states import EndAction, Outcome

NASTY = "\u2028\u202e\u05d0\u200d\ufeff\x01\x1b\x7f\x85\\\"'`;--{}%s$1\r\n\t\U0001f469\u0301"
TEXTS = st.text(st.one_of(st.sampled_from(NASTY), st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
LONG = st.builds(lambda text, times: (text * times)[:4_000], TEXTS, st.integers(1, 1_000))
BIG = st.one_of(
    st.integers(),
    st.integers(2**64, 2**70),
    st.integers(1, 9).flatmap(lambda digit: st.just(int(str(digit) * 300))),
    st.just(-(10**4_000)),
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.one_of(st.none(), st.booleans(), BIG, FLOATS, TEXTS, LONG)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=4)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - zoned next
COUNTS = st.integers(0, 2**63 - 1)
QUANTITIES = st.one_of(st.integers(0, 2**63 - 1), st.floats(0, 2**62, allow_nan=False))


def names(longest: int) -> st.SearchStrategy[str]:
    """Names up to a length, the longest among them."""
    return st.one_of(TEXTS.map(lambda text: text[:longest] or "x"), st.just("\U0001f600" * longest))


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


PROSE = st.one_of(TEXTS, LONG)
REFS = {"type": names(64), "id": names(256)}


def things(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Distinct entities, with some of these fields."""
    one = st.fixed_dictionaries(REFS, optional=fields)
    return st.lists(one, max_size=4, unique_by=lambda entity: (entity["type"], entity["id"]))


ENTITIES = things(role=names(64), access=st.sampled_from(["exclusive", "shared", "none"]))
POLICIES = st.one_of(
    st.sampled_from(["default", "hyperv"]),
    optional(
        keep_for=st.integers(0, 10**6) | st.sampled_from([0.5, 1.25, 86_400.000001]),
        keep_at_most=st.integers(0, 2**63 - 1),
        dwell=st.integers(0, 10**6),
    ),
)
TERMS: dict[str, st.SearchStrategy[Any]] = {
    "required": st.booleans(),
    "entities": ENTITIES,
    "params": OBJECTS,
    "limits": st.lists(
        st.fixed_dictionaries(
            {"type": names(64), "entity": st.fixed_dictionaries(REFS), "at_most": st.integers(0, 2**63 - 1)}
        ),
        max_size=2,
    ),
    "deadline": TIMES.map(datetime.isoformat),
    "retention": POLICIES,
    "cancellable": st.booleans(),
    "end_action": st.sampled_from([str(action) for action in EndAction]),
}
PLANS = st.fixed_dictionaries({"type": names(64)}, optional={**TERMS, "parent": names(200), "retry_of": names(200)})
CHILDREN = st.lists(
    st.fixed_dictionaries(
        {"job": names(200), "type": names(64)}, optional={**TERMS, "actor": names(256), "reason": PROSE}
    ),
    max_size=3,
    unique_by=lambda child: child["job"],
)
ENDINGS: dict[str, st.SearchStrategy[Any]] = {
    "result": JSON,
    "products": things(role=names(64)),
    "warnings": st.lists(PROSE, max_size=3),
    "error": optional(code=PROSE, message=PROSE, details=st.lists(JSON, max_size=3)),
    "evidence": JSON,
    "residue": st.booleans(),
}
REPORTS = st.fixed_dictionaries({"event": st.just("failed")}, optional={**ENDINGS, "raw": PROSE, "actor": names(256)})
RESOLUTIONS = st.sampled_from([str(outcome) for outcome in Outcome])
NOTHING: st.SearchStrategy[dict[str, Any]] = st.just({})
BODIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "planned": PLANS,
    "refused": st.fixed_dictionaries(
        {
            "plan": st.builds(lambda plan, below: plan | {"children": below}, PLANS, CHILDREN),
            "blockers": st.lists(JSON, max_size=3),
        }
    ),
    "break_accepted": st.fixed_dictionaries(
        {"break_at": COUNTS, "promise": st.sampled_from([str(promise) for promise in Break])}
    ),
    "loss_accepted": st.fixed_dictionaries(
        {"known_at": COUNTS, "ends_at": COUNTS, "receipts": COUNTS},
        optional={"known_id": names(256), "ends_id": names(256), "jobs": st.lists(names(200), max_size=3)},
    ),
    "submitted": st.fixed_dictionaries({"executor": names(256), "token": names(256)}),
    "accepted": st.fixed_dictionaries({"external_id": names(256)}, optional={"executor": names(256)}),
    "started": optional(executor=names(256), external_id=names(256)),
    "progressed": st.fixed_dictionaries(
        {"message": PROSE},
        optional={
            "percent": st.floats(0, 100) | st.integers(0, 100),
            "done": QUANTITIES,
            "total": QUANTITIES,
            "unit": names(64),
            "estimated_end": TIMES.map(datetime.isoformat),
        },
    ),
    "attached": st.fixed_dictionaries({"entities": ENTITIES}),
    "detached": st.fixed_dictionaries({"entities": things(role=names(64))}),
    **dict.fromkeys(["succeeded", "failed", "cancelled", "abandoned", "lost"], optional(**ENDINGS)),
    "resolved": st.fixed_dictionaries({"outcome": RESOLUTIONS}, optional={**ENDINGS, "report": REPORTS}),
    "disputed": optional(outcome=RESOLUTIONS, evidence=JSON),
    "late": st.fixed_dictionaries({"report": REPORTS, "because": st.sampled_from(["fenced", "closed"])}),
    "expired": st.fixed_dictionaries(
        {"policy": POLICIES, "cause": st.sampled_from(["keep_for", "keep_at_most"])}, optional={"threshold": JSON}
    ),
}
ENVELOPES = optional(
    id=names(256),
    at=TIMES.map(datetime.isoformat) | st.integers(0, 10**9).map(lambda n: datetime.isoformat(_later(n))),
    actor=names(256),
    reason=PROSE,
    owner=names(200),
    epoch=st.integers(1, 2**63 - 1),
    raw=PROSE,
    traceparent=names(256),
)


def _later(seconds: int) -> datetime:
    return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)


OF_THE_LEDGER = {fact.name for fact in LEDGER_FACTS}


def _record(event: str) -> st.SearchStrategy[dict[str, Any]]:
    def put(envelope: dict[str, Any], body: dict[str, Any], subject: str) -> dict[str, Any]:
        about = (
            {"owner": subject, "epoch": envelope.get("epoch", 1)} if event.startswith("owner_") else {"job": subject}
        )
        about = {"ledger": str(UUID(int=len(subject)))} if event in OF_THE_LEDGER else about
        for child in body.get("plan", {}).get("children", []):
            child["job"] = f"{child['job'][:99]}{subject[:99]}+"  # never the job itself
        return envelope | body | about | {"event": event}

    return st.builds(put, ENVELOPES, BODIES.get(event, NOTHING), names(200))


RECORDS = {fact.name: _record(fact.name) for fact in JOB_FACTS + OWNER_FACTS + LEDGER_FACTS}


def transition(record: dict[str, Any]) -> Transition:
    """The transition that a record asks for."""
    return parse_transition(record, lambda: "chosen")


def event(said: Transition) -> Event:
    """An event with what a transition says; a plan as it is planned at the top of a tree."""
    fact = said.fact
    if fact.name == "planned":
        terms = {name: value for name, value in vars(fact).items() if name in Planned.model_fields}
        fact = Planned(**terms | {"root": said.job, "children": 0})
    rest = {name: getattr(said, name) for name in ("actor", "reason", "owner", "epoch", "raw", "traceparent")}
    return Event(id=said.id or "chosen", job=said.job, version=1, occurred_at=said.at or _later(0), fact=fact, **rest)
