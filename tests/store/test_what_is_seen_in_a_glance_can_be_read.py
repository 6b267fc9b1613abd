"""What a pattern allows is what `read_event` reads: no bytes pass for an event that are none."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from ledger.domain.events import FACTS_BY_NAME
from ledger.store.glance import is_event
from ledger.store.mapper import read_event

BEGIN = '{"id":"e1","at":"2026-02-28T03:04:05.123456Z","actor":"ann","reason":"so","owner":"o","epoch":1,"raw":"r"'
ENTITY = '{"type":"vm","id":"web01","role":"source","access":"shared"}'
SAID = {
    "planned": f',"type":"T","parent":"p","retry_of":"q","required":false,"entities":[{ENTITY}]'
    ',"params":{"a":[1.5,{"b":null}]}'
    ',"limits":[{"type":"T","entity":{"type":"vm","id":"w"},"at_most":2}],"deadline":"2026-12-31T23:59:59Z"'
    ',"cancellable":false,"end_action":"auto","root":"p","depth":2,"children":3}',
    "submitted": ',"executor":"agent","token":"t"}',
    "accepted": ',"executor":"agent","external_id":"7"}',
    "started": ',"executor":"ägent ☃","external_id":"7"}',
    "progressed": ',"percent":99.5,"done":3,"total":10.25,"unit":"GB","message":""'
    ',"estimated_end":"2028-01-31T00:00:00Z"}',
    "attached": f',"entities":[{ENTITY}]}}',
    "detached": ',"entities":[{"type":"vm","id":"web01","role":"source"}]}',
    "succeeded": ',"result":{"bytes":-7,"files":["a",["b"]]},"products":[{"type":"image","id":"i"}]'
    ',"warnings":["slow","full"]}',
    "failed": ',"error":{"code":"E1","message":"no","details":[1,{"a":true}]},"evidence":"log","residue":true}',
    "resolved": ',"result":null,"outcome":"failed"}',
    "disputed": ',"outcome":"unknown","evidence":[]}',
    "hold_placed": "}",
    "expired": "}",
    "owner_started": "}",
    "break_accepted": ',"position":7,"promise":"time"}',
    "loss_accepted": ',"known_at":12,"known_id":"x","ends_at":8,"receipts":1,"jobs":["a"]}',
}  # fmt: skip
TOKENS = (
    "", '"', "\\", "\\u0000", "\\ud800", "\n", " ", ",", "{", "}", "[", "]", ":", "0", "-1", "1e400", "101", "100",
    "05", "9" * 19, "NaN", "null", "true", '""', "[]", "{}", ENTITY, f"{ENTITY},{ENTITY}", "2026-02-29", "24:00:00",
    "1969", "+01:00", '"at":"2026-02-30T00:00:00Z",', '"percent":1,', '"id":1,', "x" * 300, "[" * 40, "\x7f", "\u2028",
)  # fmt: skip


@st.composite
def _bent(draw: DrawFn) -> tuple[str, bytes]:
    """An event, a few places of which hold something else."""
    name = draw(st.sampled_from(sorted(FACTS_BY_NAME)))
    text = BEGIN + SAID[draw(st.sampled_from([name if name in SAID else "started", *SAID]))]
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from(TOKENS)) + text[start + draw(st.integers(0, 12)) :]
    return name, text.encode() + draw(st.sampled_from([b"", b"", b"\xff", b"\n"]))


@settings(max_examples=1_000)
@given(_bent())
@example(("planned", f'{BEGIN},"type":"T","entities":[{{"type":"vm","id":"w","role":"a""access":"none"}}]}}'.encode()))
def test_nothing_passes_that_cannot_be_read(bent: tuple[str, bytes]) -> None:
    name, state = bent
    fact = FACTS_BY_NAME[name]
    if is_event(fact, state):
        kind = fact.topic.partition(".")[0]
        assert read_event(f"{kind}:x", 1, fact.topic, state).name == name


@pytest.mark.parametrize("said", sorted(set(SAID) - {"expired"}))
def test_what_is_usual_is_seen(said: str) -> None:
    """So that most rows need not be read; and a pattern that allows nothing would prove nothing."""
    fact, state = FACTS_BY_NAME[said], (BEGIN + SAID[said]).encode()
    assert is_event(fact, state)
    assert read_event(f"{fact.topic.partition('.')[0]}:x", 1, fact.topic, state).name == said


@pytest.mark.parametrize("number", ["100", "0", "99.99", "7"])
@pytest.mark.parametrize("last", ["", ',"done":1'])
def test_progress_in_per_cent_is_seen(number: str, last: str) -> None:
    assert is_event(FACTS_BY_NAME["progressed"], f'{BEGIN},"percent":{number}{last}}}'.encode())


@pytest.mark.parametrize("said", ["", ',"percent":100.5', ',"percent":101', ',"percent":05', ',"unit":"percent"'])
def test_progress_that_is_none_is_not_seen(said: str) -> None:
    assert not is_event(FACTS_BY_NAME["progressed"], f"{BEGIN}{said}}}".encode())
