import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ledger.domain.commands import Plan, Transition, parse_transition, planned, print_transition
from ledger.domain.content import Told, digest, quoted_in
from ledger.domain.events import Event, Fact
from ledger.errors import BadInput
from ledger.store.mapper import read_event, write_row
from tests.properties.strategies import RECORDS, event, transition

EACH = pytest.mark.parametrize("name", sorted(RECORDS))
FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def _fact(said: Transition) -> Fact:
    return planned(said.fact, said.job, 1, said.fact.parent) if isinstance(said.fact, Plan) else said.fact


def _content(said: Transition) -> bytes:
    return digest(_fact(said), said.raw, said.at, said.owner, said.epoch)


def _turned(value: Any) -> Any:
    """The same JSON with the keys of every object the other way round."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(value)}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def _is_kept(before: Event) -> bool:
    """Whether a decision lets it be recorded: what it quotes must be a record that can be read."""
    try:
        quoted_in(before.fact, before.job)
    except BadInput:
        return False
    return True


@EACH
@FEW
@given(data=st.data())
def test_an_event_survives_its_bytes(name: str, data: st.DataObject) -> None:
    before = event(transition(data.draw(RECORDS[name])))
    assume(_is_kept(before))
    row = write_row(before)

    after = read_event(row.stream, row.version, row.topic, row.state)

    assert after == before
    assert write_row(after) == row


@EACH
@FEW
@given(data=st.data())
def test_a_transition_survives_its_record(name: str, data: st.DataObject) -> None:
    before = transition(data.draw(RECORDS[name]))

    after = parse_transition(json.dumps(print_transition(before)), lambda: "another")

    assert after == before
    assert _content(after) == _content(before)


@EACH
@FEW
@given(data=st.data())
def test_an_event_survives_its_record(name: str, data: st.DataObject) -> None:
    said = transition(data.draw(RECORDS[name]))
    before = event(said)

    after = parse_transition(json.dumps(print_transition(before), ensure_ascii=False).encode(), lambda: "another")

    assert (after.job, after.at, after.raw, after.epoch) == (before.job, before.occurred_at, before.raw, before.epoch)
    assert after.fact == said.fact


@EACH
@FEW
@given(data=st.data())
def test_the_order_of_keys_says_nothing(name: str, data: st.DataObject) -> None:
    record = data.draw(RECORDS[name])

    assert _content(transition(_turned(record))) == _content(transition(record))


@EACH
@FEW
@given(data=st.data())
def test_a_stream_remembers_every_fact(name: str, data: st.DataObject) -> None:
    said = transition(data.draw(RECORDS[name]))
    told = Told()
    told.note(event(said))

    version = told.version_of(_fact(said), said.raw, said.at, (said.owner, said.epoch))
    assert version == 1 or (said.fact.timed and said.at is None)
    quoted, telling = quoted_in(said.fact, said.job), told.under(said.id or "chosen")
    assert telling is not None
    assert _content(said) in telling.contents or said.fact.timed
    assert quoted is None or len(telling.contents) > 1
