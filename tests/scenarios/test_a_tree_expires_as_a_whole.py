from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.retention import Retention

AT_ONCE = Retention(keep_for=0)
TREE = [{"job": "a", "type": "Part", "children": [{"job": "a1", "type": "Part"}]}, {"job": "b", "type": "Part"}]


def test_a_tree_expires_as_a_whole(ledger: Ledger) -> None:
    """While one job below is open, or nobody can say how it ended, nothing leaves; then all does, in one append."""
    ledger.plan("Whole", job="root", children=TREE)
    for job in ("a", "b"):
        ledger.fail(job)
    ledger.fail("root")
    assert ledger.expire(AT_ONCE) == []
    ledger.lose("a1")
    assert ledger.expire(AT_ONCE) == []
    position = ledger.resolve("a1", "failed").position

    (left,) = ledger.expire(AT_ONCE)
    assert (left.root, left.jobs, left.cause) == ("root", 4, "keep_for")
    events = list(ledger.events(position))
    assert {entry.event.job for entry in events} == {"root", "a", "a1", "b"}
    assert {(entry.event.name, entry.recorded_at, entry.event.actor) for entry in events} == {
        ("expired", events[0].recorded_at, "sweeper")
    }
    assert list(ledger.jobs()) == []
    assert len(list(ledger.jobs(JobFilter(root="root", expired=True)))) == 4
    assert ledger.expire(AT_ONCE) == []


def test_the_policy_of_the_root_goes_before_the_sweepers(ledger: Ledger) -> None:
    """Also one that says what the default says; the policies of those below do not count."""
    ledger.plan(
        "Whole", job="kept", retention="default", children=[{"job": "c", "type": "Part", "retention": "hyperv"}]
    )
    ledger.plan("Whole", job="gone", retention={"keep_for": 0})
    ledger.plan("Whole", job="dwells", retention={"keep_for": 0, "dwell": 3_600})
    ledger.plan("Whole", job="unsaid")
    for job in ("c", "kept", "gone", "dwells", "unsaid"):
        ledger.fail(job)
    assert {tree.root for tree in ledger.expire(AT_ONCE)} == {"gone", "unsaid"}
    assert [tree.root for tree in ledger.expiry(AT_ONCE)] == ["dwells", "kept"]
