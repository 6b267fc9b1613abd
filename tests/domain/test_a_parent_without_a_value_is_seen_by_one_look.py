from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.domain.quorum import FAILURES, Child, Family, QuorumValue, in_the_way, parent_value, unsettled_beside
from ledger.domain.states import Outcome

OUTCOMES = st.sampled_from([None, *(outcome for outcome in Outcome if outcome is not Outcome.REFUSED)])


@st.composite
def families(draw: st.DrawFn) -> list[Child]:
    children: list[Child] = []
    for number in range(draw(st.integers(1, 8))):
        earlier = [child.job for child in children]
        retry_of = draw(st.sampled_from([None, None, *earlier])) if earlier else None
        children.append(Child(f"c{number}", draw(OUTCOMES), draw(st.booleans()), retry_of))
    return children


@given(children=families(), data=st.data())
def test_a_parent_without_a_value_is_seen_by_one_look(children: list[Child], data: st.DataObject) -> None:
    """Where the short look says that nothing is settled, the whole says so too, unless the child itself failed."""
    child = data.draw(st.sampled_from(children))
    assume(child.outcome not in FAILURES)
    if unsettled_beside(children, child.job):
        assert parent_value(Family(children), cancelling=False) in (QuorumValue.UNDECIDED, QuorumValue.UNKNOWN)


@given(children=families(), cancelling=st.booleans())
def test_those_that_succeeded_alone_or_are_counted_change_no_value(children: list[Child], cancelling: bool) -> None:
    """What is neither a retry nor retried is told by its outcome alone, or not at all where it succeeded."""
    retried = {child.retry_of for child in children}
    alone = [it for it in children if it.retry_of is None and it.job not in retried]
    counted = [it for it in alone if it.required and it.outcome is not Outcome.SUCCEEDED]
    more = {it.outcome: sum(other.outcome is it.outcome for other in counted) for it in counted}
    part = Family([it for it in children if it not in alone], more)
    assert parent_value(part, cancelling=cancelling) is parent_value(Family(children), cancelling=cancelling)
    assert len(in_the_way(part)) + sum(more.values()) == len(in_the_way(Family(children)))
