import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.errors import ViewBehind
from ledger.service.assembly import assemble


def test_who_may_only_read_asks_of_a_past_that_is_followed(ledger: Ledger, superuser: str) -> None:
    """A reader is answered about jobs at once, and about entities as far as somebody who writes has asked."""
    ledger.plan("Build", job="a", entities=[{"type": "vm", "id": "v1"}])
    with assemble(make_conninfo(superuser, options="-c role=jobledger_reader")) as reader:
        assert reader.as_of(1).job("a").phase == "planned"
        with pytest.raises(ViewBehind, match="activity must be at position 1 for this, and it is at 0"):
            reader.as_of(1).busy("vm/v1")
        assert ledger.as_of(1).busy("vm/v1").busy
        assert reader.as_of(1).busy("vm/v1").busy


def test_whoever_waits_for_the_view_is_told(ledger: Ledger) -> None:
    ledger.plan("Build", job="a")
    told: list[tuple[int, int]] = []
    for _ in range(2):
        ledger.as_of(1).catch_up(lambda position, goal: told.append((position, goal)))
    assert told == [(1, 1)]
