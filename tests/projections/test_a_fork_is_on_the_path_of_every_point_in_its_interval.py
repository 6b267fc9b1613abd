from hypothesis import given
from hypothesis import strategies as st

from projections.followed.interval_tree import fork, path

LEVELS = 62
POINTS = st.integers(1, 1 << 40) | st.integers(1, 70)


@given(POINTS, POINTS, POINTS)
def test_a_fork_is_on_the_path_of_every_point_in_its_interval(one: int, other: int, point: int) -> None:
    """It lies in the interval, and is met from each point there; nodes up to the point and beyond it are told apart."""
    first, last = sorted((one, other))
    node, (upto, beyond) = fork(first, last), path(point, LEVELS)
    assert first <= node <= last
    if first <= point <= last:
        assert node in upto + beyond
    assert all(each <= point for each in upto)
    assert all(each > point for each in beyond)
    assert len(upto) + len(beyond) <= LEVELS


@given(POINTS, POINTS)
def test_no_other_node_of_an_interval_is_above_its_fork(one: int, other: int) -> None:
    first, last = sorted((one, other))
    node = fork(first, last)
    span = (node & -node) * 2  # to the next node that is as high or higher
    assert first > node - span
    assert last < node + span
