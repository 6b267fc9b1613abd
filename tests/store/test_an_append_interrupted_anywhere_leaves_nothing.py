from typing import Any

import pytest

from ledger import clock
from ledger.appending import recorder
from ledger.appending.recorder import Attempt
from ledger.application import Ledger
from ledger.domain.commands import parse_transition
from projections.inline.views import InlineViews


class Interrupted(BaseException):
    """Something that nobody expects, and nobody catches."""


@pytest.mark.parametrize(("owner", "name"), [(recorder, "_insert"), (InlineViews, "write"), (Attempt, "answer")])
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


def test_a_batch_interrupted_between_two_parts_leaves_nothing(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided first is written already when the rest is decided, and is not committed without it."""
    written: list[int] = []
    write = InlineViews.write

    def interrupt(self: InlineViews, *said: Any) -> None:
        write(self, *said)
        written.append(said[-1][-1].position)
        if len(written) == 2:
            raise Interrupted

    jobs = [parse_transition({"job": f"j{n}", "event": "planned", "type": "T"}, clock.new_id) for n in range(60)]
    with monkeypatch.context() as patch:
        patch.setattr(InlineViews, "write", interrupt)
        with pytest.raises(Interrupted):
            ledger.record_each(jobs)

    assert written == [recorder.PART_MIN, 2 * recorder.PART_MIN]
    assert list(ledger.events()) == []
    assert list(ledger.jobs()) == []
    assert len(ledger.record_each(jobs)) == ledger.position() == 60
