import pytest

from ledger.application import Ledger
from ledger.asking.difference import Diff
from ledger.errors import EntityBusy, MalformedRecord


def _on(name: str, access: str = "exclusive") -> list[dict[str, str]]:
    return [{"type": "vm", "id": name, "access": access}]


def _between(ledger: Ledger, earlier: int, later: int | None = None) -> Diff:
    return ledger.as_of(earlier).diff(ledger.as_of(later or ledger.position()))


def _short(diff: Diff) -> dict[str, list[str]]:
    jobs = {name: [change.after.job for change in getattr(diff, name)] for name in ("opened", "closed", "changed")}
    return jobs | {"busy": [entity.id for entity in diff.busy], "free": [entity.id for entity in diff.free]}


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """At position 3, `a` and `old` run on v1 and v2, and `b` waits."""
    ledger.plan("Build", job="a", entities=_on("v1", "shared"))
    ledger.plan("Build", job="old", entities=_on("v2"))
    ledger.plan("Build", job="b")
    return ledger


def test_jobs_are_opened_closed_and_changed(told: Ledger) -> None:
    """One that was opened and closed meanwhile is in both lists, one that was only talked of in none."""
    told.start("b")
    told.progress("b", 5)
    told.succeed("old")
    told.plan("Build", job="new", entities=_on("v3"))
    told.plan("Build", job="brief", entities=_on("v4"))
    told.fail("brief")
    assert _short(_between(told, 3)) == {
        "opened": ["new", "brief"], "closed": ["old", "brief"], "changed": ["b"], "busy": ["v3"], "free": ["v2"],
    }  # fmt: skip
    assert _between(told, 4, 5).nothing
    (change,) = _between(told, 3).changed
    assert change.as_json() == {
        "job": "b",
        "type": "Build",
        "before": {"phase": "planned", "outcome": None, "flags": []},
        "after": {"phase": "running", "outcome": None, "flags": []},
        "position": 5,
    }


def test_an_entity_that_another_job_holds_all_along_became_neither_busy_nor_free(told: Ledger) -> None:
    told.plan("Build", job="c", entities=_on("v1", "shared"))
    assert _short(_between(told, 3))["busy"] == []
    told.succeed("c")
    assert _short(_between(told, 4))["free"] == []
    told.succeed("a")
    assert _short(_between(told, 3))["free"] == ["v1"]


def test_a_refusal_closes_what_was_never_opened(told: Ledger) -> None:
    with pytest.raises(EntityBusy):
        told.plan("Build", job="c", entities=_on("v2"))
    assert _short(_between(told, 3)) | {"closed": []} == _short(_between(told, 3, 3))
    assert _short(_between(told, 3))["closed"] == ["c"]
    told.succeed("old")
    told.plan("Build", job="c", entities=_on("v2"))
    assert _short(_between(told, 4)) == {"opened": ["c"], "closed": ["old"], "changed": [], "busy": [], "free": []}


def test_what_became_of_the_unknown_is_a_change(told: Ledger) -> None:
    """Lost, a job is closed and stays in the way; resolved, it lets go."""
    told.lose("old")
    assert _short(_between(told, 3)) | {"closed": []} == _short(_between(told, 3, 3))
    told.resolve("old", "failed")
    found = _short(_between(told, 4))
    assert (found["closed"], found["changed"], found["free"]) == ([], ["old"], ["v2"])


def test_only_jobs_that_fit_are_told_of(told: Ledger) -> None:
    told.succeed("a")
    told.succeed("old")
    diff = told.as_of(3).diff(told.as_of(5), lambda job: job.job == "old")
    assert _short(diff) == {"opened": [], "closed": ["old"], "changed": [], "busy": [], "free": ["v2"]}


def test_a_difference_goes_forward_and_by_recorded_time(told: Ledger) -> None:
    with pytest.raises(MalformedRecord, match="not from position 3 back to 2"):
        _between(told, 3, 2)
    with pytest.raises(MalformedRecord, match="positions or times of recording"):
        told.as_of(1).diff(told.as_of(told.as_of(3).at, occurred=True))
