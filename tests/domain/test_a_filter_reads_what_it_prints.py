from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.entities import EntityRef
from ledger.domain.events import FACTS_BY_NAME
from ledger.domain.filters import (
    FILTER_LENGTH_MAX,
    Filter,
    Period,
    Span,
    Term,
    TermKey,
    Trait,
    When,
    parse_filter,
)
from ledger.domain.numbers import UNITS
from ledger.domain.states import Outcome
from ledger.domain.values import POSITION_MAX
from ledger.errors import MalformedFilter

LENGTHS = {
    TermKey.TYPE: 64,
    TermKey.ACTOR: 256,
    TermKey.OWNER: 200,
    TermKey.EXECUTOR: 256,
    TermKey.UNDER: 200,
    TermKey.JOB: 200,
    TermKey.TEXT: 500,
}


def _text(longest: int) -> st.SearchStrategy[str]:
    letters = st.characters(codec="utf-8", exclude_characters="\0")
    awkward = st.text(st.sampled_from(' ,"\\:-./\t\n\u00a0\u2028ä'), min_size=1, max_size=8)
    return awkward | st.text(letters, min_size=1, max_size=min(longest, 12)) | st.just("x" * longest)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 253_402_300_799_999_999).map(lambda micros: EPOCH + timedelta(microseconds=micros))
AGOS = st.builds(
    lambda number, unit: timedelta(seconds=number * UNITS[unit]),
    st.integers(0, 10_000),
    st.sampled_from(sorted(UNITS)),
)
WHENS = MOMENTS.map(When) | AGOS.map(lambda ago: When(ago=ago))
POSITIONS = st.integers(0, POSITION_MAX)
PAIRS = st.tuples(POSITIONS, POSITIONS).map(sorted)
SPANS = st.one_of(
    PAIRS.map(lambda pair: Span(*pair)),
    POSITIONS.map(lambda start: Span(start, None)),
    POSITIONS.map(lambda end: Span(None, end)),
)
PERIODS = st.builds(Period, WHENS, WHENS | st.none()) | st.builds(Period, st.none(), WHENS)
KINDS = _text(64).filter(lambda text: "/" not in text)
VALUES: dict[TermKey, st.SearchStrategy[object]] = {
    **{key: _text(longest) for key, longest in LENGTHS.items()},
    TermKey.OUTCOME: st.sampled_from([str(outcome) for outcome in Outcome]),
    TermKey.EVENT: st.sampled_from(sorted(FACTS_BY_NAME)),
    TermKey.IS: st.sampled_from([str(mark) for mark in Trait]),
    TermKey.ENTITY: st.builds(lambda kind, name: EntityRef(type=kind, id=name), KINDS, _text(256)),
    TermKey.BEFORE: WHENS,
    TermKey.AFTER: WHENS,
    TermKey.OCCURRED: PERIODS,
    TermKey.POSITION: SPANS,
}


@st.composite
def _terms(draw: st.DrawFn) -> Term:
    key = draw(st.sampled_from(TermKey))
    most = 1 if key in (TermKey.BEFORE, TermKey.AFTER) else 3
    values = draw(st.lists(VALUES[key], min_size=1, max_size=most))
    return Term(key, tuple(values), draw(st.booleans()))  # type: ignore[arg-type]


FILTERS = st.lists(_terms(), max_size=5).map(lambda terms: Filter(tuple(terms)))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a machine that does other things
@given(FILTERS)
def test_what_is_printed_is_read_back(which: Filter) -> None:
    """Every filter that may be asked, with whatever texts in it, is the same after printing and parsing."""
    asks_text = any(term.key is TermKey.TEXT for term in which.terms)
    if asks_text and not which.bounded:
        which = Filter((*which.terms, Term(TermKey.TYPE, ("T",))))
    if len(str(which)) <= FILTER_LENGTH_MAX:
        assert parse_filter(str(which)) == which


@given(st.text(st.sampled_from('type:outcome-isheld",.\\ 0123456789dT\x00\ud800Zä'), max_size=60) | st.text())
def test_any_text_is_a_filter_or_names_a_column(text: str) -> None:
    """Nothing else is raised, the column lies in the text or just behind it, and what is read prints canonically."""
    found: Filter | MalformedFilter
    try:
        found = parse_filter(text)
    except MalformedFilter as error:
        found = error
    if isinstance(found, MalformedFilter):
        assert 1 <= found.facts["column"] <= len(text) + 1
        assert str(found).isprintable()
    else:
        assert str(parse_filter(str(found))) == str(found)


@given(WHENS, MOMENTS)
def test_a_relative_time_counts_from_the_now_that_is_given(when: When, now: datetime) -> None:
    """However long ago, it never lies before 1970."""
    moment = when.at(now)
    assert moment >= EPOCH
    if when.moment is None and moment > EPOCH:
        assert now - moment == when.ago


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("", ""),
        (" \t type:A,A   type:A ", "type:A,A type:A"),
        ('type:"A"', "type:A"),
        ("before:2026-11-01 after:-120m", "before:2026-11-01T00:00:00Z after:-2h"),
        ("after:2026-11-01T03:12:00+01:00", "after:2026-11-01T02:12:00Z"),
        ("position:7..7,..9", "position:7,..9"),
        ("-entity:disk/a/b", "-entity:disk/a/b"),
        ("job:urn:uuid:1", "job:urn:uuid:1"),
        ('text:"disk full",x after:-14d', 'text:"disk full",x after:-2w'),
    ],
)
def test_a_filter_has_one_canonical_form(said: str, printed: str) -> None:
    assert str(parse_filter(said)) == printed
