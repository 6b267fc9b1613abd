from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from projections.followed import follower
from projections.followed.activity import Activity
from tests.projections.remembering import World

VIEW = [Activity()]


def _rows(admin: psycopg.Connection[Any]) -> list[str]:
    found = admin.execute(
        "SELECT t::text AS said FROM history.activity AS t "
        "UNION ALL SELECT 'asked ' || t::text FROM history.asked_below AS t ORDER BY 1"
    ).fetchall()
    return [row["said"] for row in found]


@pytest.mark.parametrize("seed", range(3))
def test_activity_is_the_same_however_it_is_followed(
    ledger: Ledger, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Event by event, page by page or all at once, the rows are the same, and each job has one for each entity."""
    world = World(seed, "", timed=True)
    for _ in range(150):
        world.say(ledger)
    found = []
    for page in (1, 7, 4_000):
        monkeypatch.setattr(follower, "PAGE_EVENTS_MAX", page)
        follower.empty(admin, VIEW)
        assert follower.follow(admin, projections=VIEW) == ledger.position()
        found.append(_rows(admin))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 10
    twice = admin.execute(
        "SELECT job FROM history.activity GROUP BY job, entity_type, entity_id HAVING count(*) > 1"
    ).fetchall()
    assert twice == []
