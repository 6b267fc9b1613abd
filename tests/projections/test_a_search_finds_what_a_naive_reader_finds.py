import math
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from ledger import clock
from ledger.application import Ledger
from ledger.asking.search import Search
from ledger.domain.events import FACTS_BY_NAME
from ledger.domain.filters import Trait, parse_filter
from ledger.domain.retention import Retention
from ledger.domain.states import Outcome
from ledger.domain.values import print_time
from ledger.errors import LedgerError, MalformedFilter
from projections.followed import follower
from tests.projections.audit_model import AuditModel
from tests.projections.histories import ENTITIES, JOBS, History

REASONS = ("disk full", "Disk Full: d-1", "wrong host", 'a "quoted", one', "Größe")
ACTORS = ("ann", "bob", "recovery")


def _spiced(record: dict[str, Any], choose: random.Random) -> dict[str, Any]:
    """The record with who, why, when and an error, some of the time."""
    said = dict(record)
    if choose.random() < 0.3:
        said["reason"] = choose.choice(REASONS)
    if choose.random() < 0.3:
        said["actor"] = choose.choice(ACTORS)
    if choose.random() < 0.3 and said["event"] != "planned":
        said["at"] = print_time(clock.now() + timedelta(minutes=choose.randrange(-90, 90)))
    if said["event"] in ("failed", "lost") and choose.random() < 0.5:
        said["error"] = {"code": "E17", "message": choose.choice(REASONS), "details": ["no space", 7]}
        said["residue"] = choose.random() < 0.5
    return said


def _live(ledger: Ledger, seed: int) -> None:
    history, choose = History(seed), random.Random(seed)
    for _ in range(220):
        with suppress(LedgerError):
            if choose.random() < 0.04:
                ledger.expire(Retention(keep_for=0.001))
            else:
                ledger.record(_spiced(history.next(), choose))


def _asked(model: AuditModel, choose: random.Random) -> str:
    """A filter that has a chance to find something."""
    last = len(model.rows)
    times = [row[name] for row in model.rows for name in ("recorded", "occurred")]

    def moment() -> str:
        return choose.choice(
            (f"-{choose.randrange(90)}m", str(choose.choice(times).isoformat().replace("+00:00", "Z")))
        )

    def span() -> str:
        start = choose.randrange(1, last)
        return choose.choice((f"{start}..", f"..{start}", f"{start}", f"{start}..{choose.randrange(start, last + 1)}"))

    kinds: dict[str, Callable[[], str]] = {
        "type": lambda: choose.choice(("Build", "Move", "Part", "Never")),
        "outcome": lambda: str(choose.choice(list(Outcome))),
        "entity": lambda: "/".join(choose.choice(ENTITIES)),
        "actor": lambda: choose.choice((*ACTORS, "sweeper")),
        "owner": lambda: "engine",
        "executor": lambda: "nova",
        "under": lambda: choose.choice(JOBS),
        "job": lambda: choose.choice(JOBS),
        "event": lambda: choose.choice(list(FACTS_BY_NAME)),
        "occurred": lambda: choose.choice((f"{moment()}..", f"..{moment()}", f"{moment()}..{moment()}")),
        "position": span,
        "is": lambda: str(choose.choice(list(Trait))),
        "text": lambda: choose.choice(('"disk full"', "E17", "space", "GRÖSSE", "größe", '"no SPACE\n7"', "copying")),
    }
    terms = []
    for _ in range(choose.choice((1, 1, 2, 2, 3))):
        key = choose.choice([*kinds, "before", "after"])
        values = [kinds[key]() for _ in range(choose.choice((1, 1, 2)))] if key in kinds else [moment()]
        terms.append(f"{'-' if choose.random() < 0.2 else ''}{key}:{','.join(values)}")
    return " ".join(terms)


@pytest.mark.parametrize("seed", range(8))
def test_a_search_finds_what_a_naive_reader_finds(ledger: Ledger, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over random histories, random filters find the same events in the same order, from either end and in pages."""
    monkeypatch.setattr(follower, "PAGE_EVENTS_MAX", 23)
    _live(ledger, seed)
    model, choose = AuditModel(ledger.events()), random.Random(seed)
    fitting = 0
    for _ in range(250):
        try:
            which = parse_filter(_asked(model, choose))
        except MalformedFilter:
            continue
        now = clock.now()
        search = Search(ledger._all.history, which, now)
        wanted = [row["position"] for row in model.find(which, now)]
        fitting += bool(wanted)
        _compare_pages(search, wanted, choose)
        _compare_durations(search, model.durations(which, now))
    assert fitting > 60


def _compare_pages(search: Search, wanted: list[int], choose: random.Random) -> None:
    limit, oldest = choose.choice((1, 3, 1_000)), choose.random() < 0.5
    ordered = wanted if oldest else wanted[::-1]
    page = search.page(oldest=oldest, limit=limit)
    assert [entry.position for entry in page.entries] == ordered[:limit], str(search.filter)
    assert page.more is (len(page.entries) == limit)
    if len(ordered) > 2:
        first, last = sorted(choose.sample(wanted, 2))
        between = [position for position in ordered if first < position < last]
        assert [it.position for it in search.entries(after=first, before=last, oldest=oldest)] == between


def _compare_durations(search: Search, wanted: dict[str | None, list[float | None]]) -> None:
    told, _ = search.durations()
    assert {it.outcome: it.jobs for it in told} == {outcome: len(took) for outcome, took in wanted.items()}
    for each in told:
        took = sorted(seconds for seconds in wanted[each.outcome] if seconds is not None)
        assert each.timed == len(took)
        ranks = [took[math.ceil(share * len(took)) - 1] if took else None for share in (0.5, 0.95, 1)]
        assert [each.p50, each.p95, each.max] == ranks, str(search.filter)
