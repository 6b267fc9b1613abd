import pytest

from ledger.application import Ledger
from ledger.errors import BadInput, EntityBusy

DISK = "disk/d-1"


@pytest.fixture
def held(ledger: Ledger) -> Ledger:
    """A disk that three jobs are active on, one with each access, and another that is shared."""
    for job, disk, access in (("x", "1", "none"), ("y", "1", "shared"), ("z", "2", "shared")):
        ledger.plan("T", job=job, entities=[{"type": "disk", "id": f"d-{disk}", "access": access}])
    return ledger


def _met(ledger: Ledger, would: str) -> list[str]:
    return [view.job for view in ledger.busy(DISK, would=would).jobs]


def test_who_would_be_in_the_way_is_told_before_a_plan(held: Ledger) -> None:
    """Exclusive meets exclusive and shared, shared meets exclusive, and nobody meets who holds with no access."""
    assert (_met(held, "exclusive"), _met(held, "shared")) == (["y"], [])
    held.succeed("y")
    held.plan("T", job="w", entities=[{"type": "disk", "id": "d-1"}])
    assert (_met(held, "exclusive"), _met(held, "shared")) == (["w"], ["w"])
    assert [view.job for view in held.busy(DISK).jobs] == ["x", "w"]


@pytest.mark.parametrize("would", ["exclusive", "shared"])
def test_the_answer_is_what_a_plan_then_meets(held: Ledger, would: str) -> None:
    """Whom the question named, the refusal names; where it named nobody, the plan is admitted."""
    foretold = [view.job for answer in held.busy_all([DISK, "disk/d-2"], would=would) for view in answer.jobs]
    met: list[str] = []
    try:
        held.plan("T", job="new", entities=[{"type": "disk", "id": f"d-{n}", "access": would} for n in "12"])
    except EntityBusy as busy:
        met = [blocker["job"] for blocker in busy.facts["blockers"]]
    assert met == foretold


def test_a_job_in_two_roles_is_told_once(ledger: Ledger) -> None:
    """It is shown whole, although one of its roles alone would be met."""
    roles = {"source": "shared", "owner": "none"}
    ledger.plan(
        "T", job="a", entities=[{"type": "disk", "id": "d-1", "role": r, "access": a} for r, a in roles.items()]
    )
    (view,) = ledger.busy(DISK, would="exclusive").jobs
    assert {entity["role"] for entity in view.entities} == set(roles)


@pytest.mark.parametrize("word", ["none", "sharedd", ""])
def test_any_other_word_is_refused(ledger: Ledger, word: str) -> None:
    with pytest.raises(BadInput, match="must be exclusive or shared"):
        ledger.busy(DISK, would=word)
