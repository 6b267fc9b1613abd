"""The benchmark of the past without its clock: what it loads."""

import psycopg
from psycopg.rows import dict_row

from projections.followed import follower
from projections.followed.activity import Activity
from tests.benchmarks.loaded import Size, fill_views, load
from tests.benchmarks.past import fill_activity

ROWS = "SELECT t::text AS said FROM history.activity AS t ORDER BY 1"


def test_the_loaded_past_says_what_following_says(superuser: str) -> None:
    size = Size(jobs=90, active=10, events_each=5)
    load(superuser, size)
    fill_views(superuser, size)
    fill_activity(superuser)

    with psycopg.connect(superuser, autocommit=True, row_factory=dict_row) as connection:
        (view,) = follower.reached(connection, [Activity()])
        filled = connection.execute(ROWS).fetchall()
        follower.empty(connection, [Activity()])
        follower.follow(connection, projections=[Activity()])
        assert connection.execute(ROWS).fetchall() == filled
    assert (view["lag"], len(filled)) == (0, 200)
