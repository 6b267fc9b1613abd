"""Of a parent of many children only what counts is read; what follows must be what follows from all of them."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from ledger.appending import families
from ledger.application import Ledger
from ledger.domain.quorum import Family, evidence, in_the_way, parent_value, unsettled_beside
from ledger.domain.states import Outcome
from ledger.service.assembly import assemble
from ledger.store.connection import configure, connect
from projections.inline import job_tree

Record = dict[str, Any]
CHILDREN = 12
ENDS = ("succeeded", "succeeded", "succeeded", "failed", "cancelled", "abandoned", "lost")


def _life(seed: int) -> list[Record]:
    """A tree of three levels: children join, end and are retried, and their parents are reported on too early."""
    chance = random.Random(seed)
    end_actions = ("auto", "auto", "none", "owner")
    names = [f"p/{n}" for n in range(CHILDREN)]
    parts = [{"job": name, "type": "Part", "required": chance.random() < 0.8} for name in names]
    middle = {"job": "p", "type": "Middle", "end_action": chance.choice(end_actions), "children": parts}
    top = {"job": "top", "event": "planned", "type": "Top", "end_action": chance.choice(end_actions)}
    life: list[Record] = [top | {"children": [middle, {"job": "other", "type": "Part"}]}]
    life += [{"event": "owner_started", "owner": "o", "epoch": 1}]
    for number in range(80):
        job = chance.choice(names)
        match chance.randrange(10):
            case 0:
                names.append(f"p/again{number}")
                retry = {"retry_of": job} if chance.random() < 0.7 else {}
                life.append({"job": names[-1], "event": "planned", "type": "Part", "parent": "p", **retry})
            case 1:
                life.append({"job": job, "event": "resolved", "outcome": chance.choice(("succeeded", "failed"))})
            case 2:
                about = chance.choice(("p", "p", "top", "other"))
                said: Record = {"event": chance.choice(("succeeded", "closing", "lost", "cancel_requested"))}
                said |= {"owner": "o", "epoch": 1} if said["event"] == "closing" else {}
                said |= {"evidence": {"children": [job]}} if said["event"] == "lost" else {}
                life.append({"job": about, **said})
            case _:
                life.append({"job": job, "event": chance.choice(ENDS)})
    return [{"at": "2026-01-01T00:00:00Z", "id": f"e{number}", **said} for number, said in enumerate(life)]


def _record(ledger: Ledger, life: Sequence[Record], size: int) -> list[Any]:
    for start in range(0, len(life), size):
        ledger.import_records(json.dumps(said).encode() for said in life[start : start + size])
    return [
        (entry.event.job, entry.event.name, entry.event.version, entry.event.fact.body) for entry in ledger.events()
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [1, 25])
def test_the_same_follows_whether_all_children_are_read_or_what_counts(
    ledger: Ledger, second: str, monkeypatch: pytest.MonkeyPatch, seed: int, size: int
) -> None:
    """Each line in an append of its own, or many in one; parents close, are refused and are resolved alike."""
    life = _life(seed)
    monkeypatch.setattr(families, "FEW_MAX", 10_000)
    told = _record(ledger, life, size)
    monkeypatch.setattr(families, "FEW_MAX", 0)
    with assemble(second) as other:
        assert _record(other, life, size) == told


@pytest.mark.parametrize("seed", range(8))
def test_value_names_and_evidence_of_the_part_are_those_of_the_whole(
    ledger: Ledger, superuser: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whichever children the append spoke of, and however few of the others are told by name."""
    _record(ledger, _life(100 + seed), 25)
    chance = random.Random(seed)
    with connect(superuser) as session:
        configure(session)
        told = job_tree.some_children(session, ["p"], 10_000)()["p"]
        whole = [child for child in told if child.outcome is not Outcome.REFUSED]
        for named in (0, 2, 100):
            monkeypatch.setattr(job_tree, "NAMED_MAX", named)
            spoken_of = [child.job for child in whole if chance.random() < 0.3]
            part = job_tree.family(session, "p", spoken_of)
            for cancelling in (False, True):
                value = parent_value(Family(whole), cancelling=cancelling)
                assert parent_value(part, cancelling=cancelling) is value
            count = evidence(Family(whole)).get("count", len(in_the_way(Family(whole))))
            assert evidence(part).get("count", len(in_the_way(part))) == count
            if named == 100:
                assert evidence(part) == evidence(Family(whole))
        for child in whole:
            told_apart = job_tree.unsettled_children(session, "p", [child.job])
            assert told_apart is unsettled_beside(whole, child.job)
