import json
from typing import Any

import pytest

from ledger.appending import holdings
from ledger.application import Ledger
from ledger.domain.decisions import Disposition
from ledger.errors import ChildrenNotSucceeded, EntityBusy
from ledger.records.importer import Overlap

HOLDERS, NAMED = 250, 100
HOST = {"type": "host", "id": "h1", "access": "shared"}
ALONE = [HOST | {"access": "exclusive"}]
Record = dict[str, Any]


def _import(ledger: Ledger, *records: Record, **options: Any) -> None:
    ledger.import_records((json.dumps(said).encode() for said in records), **options)


def _hold(ledger: Ledger, count: int, **terms: Any) -> None:
    """Let jobs hold the host, the first planned the youngest by their own clocks."""
    _import(
        ledger,
        *(
            {"job": f"h{n:03}", "event": "planned", "type": "Run", "at": _at(HOLDERS - n), "entities": [HOST], **terms}
            for n in range(count)
        ),
    )


def _at(second: int) -> str:
    return f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"


def _refused(ledger: Ledger, job: str, **terms: Any) -> dict[str, Any]:
    with pytest.raises(EntityBusy) as caught:
        ledger.plan("Run", job=job, **({"entities": ALONE} | terms))
    return dict(caught.value.facts) | {"said": str(caught.value)}


def test_a_refusal_names_the_oldest_hundred_and_counts_all(ledger: Ledger) -> None:
    """To the caller, on record, and in the views; said again by the same blockers it is unchanged."""
    _hold(ledger, HOLDERS)
    facts = _refused(ledger, "new")
    assert [blocker["job"] for blocker in facts["blockers"]] == [f"h{HOLDERS - 1 - n:03}" for n in range(NAMED)]
    assert facts["count"] == HOLDERS
    assert facts["said"].endswith("and 245 more.")
    (event,) = (entry.event for entry in ledger.history("new"))
    assert event.fact.body["count"] == HOLDERS
    assert len(event.fact.body["blockers"]) == NAMED
    assert ledger.job("new").evidence["count"] == HOLDERS

    assert _refused(ledger, "new")["count"] == HOLDERS
    assert len(ledger.history("new")) == 1
    ledger.succeed(f"h{HOLDERS - 1:03}")
    again = _refused(ledger, "new")
    assert (again["count"], again["blockers"][0]["job"]) == (HOLDERS - 1, f"h{HOLDERS - 2:03}")
    assert len(ledger.history("new")) == 2


def test_a_refusal_by_a_few_says_no_number_on_record(ledger: Ledger) -> None:
    """Its bytes are those of a refusal before there were numbers, so that what was refused then is unchanged."""
    _hold(ledger, 3)
    assert _refused(ledger, "new")["count"] == 3
    (event,) = (entry.event for entry in ledger.history("new"))
    assert set(event.fact.body) == {"plan", "blockers"}


def test_of_a_crowd_the_own_tree_is_never_in_the_way(ledger: Ledger) -> None:
    """Neither a child planned later nor what is attached waits for those of its tree."""
    children = [{"job": f"c{n}", "type": "Part", "entities": ALONE} for n in range(HOLDERS)]
    ledger.plan("Whole", job="root", children=children)
    ledger.plan("Part", job="late", parent="root", entities=ALONE)
    ledger.attach("root", ALONE)
    facts = _refused(ledger, "other")
    assert (facts["count"], len(facts["blockers"])) == (HOLDERS + 2, NAMED)


def test_a_limit_counts_a_crowd(ledger: Ledger) -> None:
    """The jobs of its type alone, each once, in whatever roles; those of others do not fill it."""
    _hold(ledger, HOLDERS)
    twice = [HOST, HOST | {"role": "source"}]
    limit = {"type": "Move", "entity": {"type": "host", "id": "h1"}, "at_most": 2}
    for job in ("a", "b"):
        ledger.plan("Move", job=job, entities=twice, limits=[limit])
    with pytest.raises(EntityBusy) as caught:
        ledger.plan("Move", job="c", entities=[HOST], limits=[limit])
    assert ([it["job"] for it in caught.value.facts["blockers"]], caught.value.facts["count"]) == (["a", "b"], 2)
    runs = limit | {"type": "Run", "at_most": HOLDERS - 1}
    with pytest.raises(EntityBusy) as caught:
        ledger.plan("Move", job="d", entities=[HOST], limits=[runs])
    assert caught.value.facts["count"] == HOLDERS
    ledger.plan("Move", job="e", entities=[HOST], limits=[runs | {"at_most": HOLDERS}])


@pytest.mark.parametrize("few", [0, 16, 1_000])
def test_what_the_same_append_said_of_a_crowd_counts(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """Holders that came, ended, let go or moved on in lines before are told as these left them."""
    monkeypatch.setattr(holdings, "FEW_MAX", few)
    _hold(ledger, 120)
    rejected: list[Any] = []
    new = {"event": "planned", "type": "Run", "entities": ALONE}
    _import(
        ledger,
        {"job": "h119", "event": "succeeded"},
        {"job": "h118", "event": "detached", "entities": [{"type": "host", "id": "h1"}]},
        {"job": "h117", "event": "progressed", "percent": 40},
        {"job": "x", "event": "planned", "type": "Run", "at": _at(0), "entities": [HOST]},
        {"job": "n1", **new},
        {"job": "h116", "event": "failed"},
        {"job": "n2", **new},
        admit=True,
        on_reject=rejected.append,
    )
    told = [it.error.facts for it in rejected]
    assert [(it["count"], [blocker["job"] for blocker in it["blockers"][:3]]) for it in told] == [
        (119, ["x", "h117", "h116"]),
        (118, ["x", "h117", "h115"]),
    ]
    assert told[0]["blockers"][1]["progress"]["percent"] == 40
    assert {len(it["blockers"]) for it in told} == {NAMED}


def test_an_import_names_the_first_hundred_that_a_line_ran_beside(ledger: Ledger) -> None:
    """And counts them all."""
    _hold(ledger, HOLDERS)
    met: list[Overlap] = []
    _import(ledger, {"job": "new", "event": "planned", "type": "Run", "entities": ALONE}, on_overlap=met.append)
    assert [(len(line.beside), line.count) for line in met] == [(NAMED, HOLDERS)]


def test_children_in_the_way_are_named_likewise(ledger: Ledger) -> None:
    """The first hundred in the order of planning, those that were retried by their last retry."""
    ledger.plan("Whole", job="root", children=[{"job": f"c{n:03}", "type": "Part"} for n in range(HOLDERS)])
    ledger.fail("c001")
    ledger.plan("Part", job="again", parent="root", retry_of="c001")
    ledger.succeed("c002")
    with pytest.raises(ChildrenNotSucceeded, match="c000, again, c003 and 246 more did not") as caught:
        ledger.succeed("root")
    names = ["c000", "again", *(f"c{n:03}" for n in range(3, NAMED + 1))]
    assert (caught.value.facts["children"], caught.value.facts["count"]) == (names, HOLDERS - 1)
    assert ledger.succeed("c000").disposition is Disposition.RECORDED


def test_evidence_has_as_many_names_as_a_payload_holds(ledger: Ledger) -> None:
    """The longest ids there are leave no room for a hundred; their number is told all the same."""
    names = [f"{n:03}" + "\U0001f600" * 197 for n in range(NAMED)]
    children = [{"job": name, "type": "Part"} for name in names]
    ledger.plan("Whole", job="root", end_action="auto", children=children)
    for name in names:
        ledger.fail(name)
    said = ledger.job("root").evidence
    assert said["count"] == NAMED
    assert 50 < len(said["children"]) < NAMED
    assert said["children"] == names[: len(said["children"])]
