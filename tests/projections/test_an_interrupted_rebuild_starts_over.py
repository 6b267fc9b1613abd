from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from projections.inline import rebuild
from tests.projections.conftest import Rows


class Interrupted(Exception):
    """What a test throws in the middle of a rebuild."""


def _after(calls: int, really: Callable[..., Any]) -> Callable[..., Any]:
    left = [calls]

    def do(*arguments: Any) -> Any:
        if left[0] == 0:
            raise Interrupted
        left[0] -= 1
        return really(*arguments)

    return do


@pytest.mark.parametrize("stop", [("_fill", 0), ("_fill", 3), ("_swap", 0), ("_position", 6)])
def test_an_interrupted_rebuild_starts_over(
    ledger: Ledger, admin: psycopg.Connection[Any], rows: Rows, monkeypatch: pytest.MonkeyPatch, stop: tuple[str, int]
) -> None:
    """Wherever it stops, the live views are as they were, appends go on, and the next rebuild is a whole one."""
    for number in range(5):
        ledger.plan("Build", job=f"j{number}", entities=[{"type": "vm", "id": str(number)}])
    before = rows("job_status")
    with monkeypatch.context() as patch:
        step, calls = stop
        patch.setattr(rebuild, "PAGE_EVENTS_MAX", 2)
        patch.setattr(rebuild, step, _after(calls, getattr(rebuild, step)))
        with pytest.raises(Interrupted):
            rebuild.rebuild(admin)
    assert rows("job_status") == before
    ledger.start("j0")
    after = rows("job_status"), rows("running_jobs")
    assert rebuild.rebuild(admin) == 6
    assert (rows("job_status"), rows("running_jobs")) == after
