from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from ledger.application import Ledger
from ledger.store.connection import connect
from projections.inline import rebuild


def test_a_swap_gives_up_before_readers_queue(
    ledger: Ledger, superuser: str, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a long reader holds the view, the swap steps back; others read on; it swaps once the reader is done."""
    ledger.plan("Build", job="a")
    stepped_back: list[float] = []
    with connect(superuser) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM projections.job_status")

        def step_back(seconds: float) -> None:
            stepped_back.append(seconds)
            assert ledger.start("a").position == 2 if len(stepped_back) == 1 else ledger.job("a")
            if len(stepped_back) == 2:
                reader.execute("ROLLBACK")

        monkeypatch.setattr(rebuild, "sleep", step_back)
        assert pool.submit(rebuild.rebuild, admin).result(30) == 2
    assert len(stepped_back) == 2
    assert ledger.job("a").phase == "running"
