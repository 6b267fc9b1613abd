import gc

import pytest

from ledger.application import Ledger
from ledger.errors import JobNotFound, LedgerError, MalformedRecord


def _alive() -> int:
    return sum(isinstance(it, LedgerError) for it in gc.get_objects())


@pytest.mark.parametrize(
    ("record", "error"),
    [
        ({"job": "x", "event": "vanished"}, MalformedRecord),
        ("{", MalformedRecord),
        ({"job": "x", "event": "progressed", "percent": "many"}, MalformedRecord),
        ({"job": "x", "event": "started", "id": "~1"}, MalformedRecord),
        ({"job": "never-was", "event": "started"}, JobNotFound),
    ],
)
def test_a_rejected_record_leaves_nothing_in_memory(
    ledger: Ledger, record: dict[str, str] | str, error: type[LedgerError]
) -> None:
    """Not until a search for garbage either, which would let it grow: no error holds the frames that hold it."""
    gc.collect()
    gc.disable()
    try:
        before = _alive()
        for _ in range(20):
            with pytest.raises(error) as raised:
                ledger.record(record)
            del raised
        assert _alive() - before <= 1
    finally:
        gc.enable()
