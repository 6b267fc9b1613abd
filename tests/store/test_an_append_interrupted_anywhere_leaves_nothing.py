from typing import Any

import pytest

from ledger.application import Ledger
from ledger.store import recorder
from ledger.store.recorder import Attempt
from projections.runner import InlineViews


class Interrupted(BaseException):
    """Something that nobody expects, and nobody catches."""


@pytest.mark.parametrize(("owner", "name"), [(InlineViews, "write"), (recorder, "_check_placed"), (Attempt, "answer")])
def test_an_append_interrupted_anywhere_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    """What was sent is not committed by the end of the pipeline; the connection stands, as far as anybody can tell."""
    ledger.plan("T", job="before")

    def interrupt(*_: object, **__: object) -> None:
        raise Interrupted

    monkeypatch.setattr(owner, name, interrupt)
    with pytest.raises(Interrupted):
        ledger.plan("T", job="interrupted")
    monkeypatch.undo()

    assert ledger.plan("T", job="after").position == 2
    assert [entry.event.job for entry in ledger.events()] == ["before", "after"]
    assert ledger.job("after").position == 2
