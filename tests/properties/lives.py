"""Sequences of commands in a small world, where they meet often: six jobs, two owners, few words."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from ledger.domain.commands import Transition
from ledger.domain.decisions import Decision, decide, refuse
from ledger.domain.events import JOB_FACTS, OWNER_FACTS
from ledger.errors import LedgerError
from tests.domain.memory import NOW, Memory, new_id, said

BLOCKERS = [{"job": "other", "access": "exclusive"}]
JOBS = st.sampled_from("aaabbbcccddef")
WHO: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"owner": st.sampled_from(["o", "q"]), "epoch": st.integers(1, 3)}),
)
AT = st.integers(0, 3).map(lambda second: {"at": f"2026-01-02T03:04:0{second}Z"})
ENTITY = st.sampled_from(["v", "w"]).map(lambda name: {"entities": [{"type": "vm", "id": name}]})
EVIDENCE: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"evidence": 1}, {"evidence": {"children": ["b"]}}])
NOTHING: st.SearchStrategy[dict[str, Any]] = st.just({})
NAMES = st.fixed_dictionaries({"executor": st.sampled_from("xy")}, optional={"external_id": st.sampled_from("123")})


def _plans(above: st.SearchStrategy[str | None]) -> st.SearchStrategy[dict[str, Any]]:
    terms = {
        "end_action": st.sampled_from(["none", "auto", "owner"]),
        "required": st.sampled_from([True, True, False]),
        "cancellable": st.sampled_from([True, True, False]),
    }
    more = {**terms, "retry_of": JOBS}
    part = st.fixed_dictionaries({"job": JOBS, "type": st.just("T")}, optional=more)
    below = st.lists(part, max_size=3, unique_by=lambda child: child["job"])
    return st.builds(
        lambda plan, parent, children: plan | ({"parent": parent} if parent else {}) | {"children": children},
        st.fixed_dictionaries({"type": st.just("T")}, optional=more),
        above,
        below,
    )


BODIES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "planned": _plans(st.none() | JOBS),
    "refused": st.just({"plan": {"type": "T"}, "blockers": BLOCKERS}),
    "submitted": st.fixed_dictionaries({"executor": st.sampled_from("xy"), "token": st.sampled_from("st")}),
    "accepted": st.fixed_dictionaries({"external_id": st.sampled_from("123")}, optional={"executor": st.just("x")}),
    "started": st.just({}) | NAMES,
    "progressed": st.integers(0, 2).map(lambda percent: {"percent": percent}),
    "attached": ENTITY,
    "detached": ENTITY,
    "resolved": st.sampled_from(["succeeded", "failed", "cancelled", "abandoned", "unknown"]).map(
        lambda outcome: {"outcome": outcome}
    ),
    "lost": EVIDENCE,
    "failed": EVIDENCE,
    "late": st.just({"report": {"event": "started"}, "because": "closed"}),
    "expired": st.just({"policy": "hyperv", "cause": "keep_for"}),
}
OFTEN = ["planned", "planned", "closing", "succeeded", "succeeded", "failed", "lost", "expired"]
WORDS = st.sampled_from([*(fact.name for fact in JOB_FACTS + OWNER_FACTS), *OFTEN])


@dataclass(frozen=True)
class Command:
    """A transition, and whether it comes by an import, or to an admission that refuses."""

    job: str
    word: str
    fields: dict[str, Any]
    historical: bool
    refused: bool

    def transition(self) -> Transition:
        return said(self.job, self.word, **self.fields)


@st.composite
def commands(draw: st.DrawFn, words: st.SearchStrategy[str] = WORDS) -> Command:
    word = draw(words)
    who = {"owner": draw(st.sampled_from("oq")), "epoch": draw(st.integers(1, 3))} if "owner" in word else draw(WHO)
    fields: dict[str, Any] = draw(BODIES.get(word, NOTHING)) | draw(AT) | who
    job = draw(JOBS)
    if "children" in fields:
        fields["children"] = [child for child in fields["children"] if child["job"] != job]
    return Command(
        job,
        word,
        fields,
        draw(st.booleans()) and draw(st.booleans()),
        draw(st.booleans()) and draw(st.booleans()),
    )


PART = {"type": "T"}
TREES = st.sampled_from([
    [],
    [{"job": "b", **PART}, {"job": "c", "children": [{"job": "d", **PART}], **PART}],
    [{"job": "b", "end_action": "auto", "children": [{"job": "d", **PART}, {"job": "e", **PART}], **PART}],
    [{"job": "b", **PART}, {"job": "c", "retry_of": "b", **PART}, {"job": "d", "required": False, **PART}],
])  # fmt: skip
FIRST = st.builds(
    lambda end_action, children: Command(
        "a", "planned", {"type": "T", "end_action": end_action, "children": children}, historical=False, refused=False
    ),
    st.sampled_from(["none", "auto", "owner"]),
    TREES,
)
LIVES = st.builds(lambda first, rest: [first, *rest], FIRST, st.lists(commands(), min_size=10, max_size=40))


def obey(memory: Memory, command: Command, transition: Transition) -> Decision | None:
    """Take in what follows from a command; None where it is refused with an error."""
    try:
        decision = decide(transition, NOW, memory, historical=command.historical)
        if command.refused and any(event.name == "planned" for event in decision.events):
            decision = refuse(transition, NOW, memory, BLOCKERS)
    except LedgerError:
        return None
    for event in decision.events:
        memory.take(event)
    return decision


def again(transition: Transition) -> Transition:
    """The same transition under another id."""
    return transition._replace(id=new_id())
