"""The filter language of history, for every face: `type:RemoveVm outcome:failed,unknown -actor:alice before:-2h`.

A filter is terms between spaces, all of which must hold; a comma between values is "or", a minus before a term "not".
A value with a space, a comma or a quote stands in double quotes, where a backslash comes before a quote or a backslash.
Pure: relative times stay relative until somebody says when "now" is. `parse_filter` and `str` are inverse.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NoReturn

from ledger.domain.entities import EntityRef
from ledger.domain.events import FACTS_BY_NAME, Damaged
from ledger.domain.numbers import UNITS
from ledger.domain.states import Outcome
from ledger.domain.values import POSITION_MAX, check_text, parse_time, print_time
from ledger.errors import BadInput, HostileText, MalformedFilter

FILTER_LENGTH_MAX = 8_192
TERMS_MAX = 50
VALUES_MAX = 100
TEXT_LENGTH_MAX = 1_000
_SHOWN_MAX = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TermKey(StrEnum):
    """What a term is about: the event, its job then, and when."""

    TYPE = "type"
    OUTCOME = "outcome"
    ENTITY = "entity"
    ACTOR = "actor"
    OWNER = "owner"
    EXECUTOR = "executor"
    UNDER = "under"
    JOB = "job"
    EVENT = "event"
    BEFORE = "before"
    AFTER = "after"
    OCCURRED = "occurred"
    POSITION = "position"
    IS = "is"
    TEXT = "text"


class Trait(StrEnum):
    """What is true of an event: of its job as it left it, and of itself.

    `residue` and the flags are the job's; `verdict` is what recovery recorded; `revised` is an event whose outcome was
    resolved or disputed later.
    """

    ON_HOLD = "on_hold"
    EXPIRED = "expired"
    DISPUTED = "disputed"
    CANCEL_REQUESTED = "cancel_requested"
    CONTACT_LOST = "contact_lost"
    RESIDUE = "residue"
    VERDICT = "verdict"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class When:
    """A moment, or how long ago."""

    moment: datetime | None = None
    ago: timedelta = timedelta()

    def at(self, now: datetime) -> datetime:
        """The moment, where `now` is given; never before 1970."""
        if self.moment is not None:
            return self.moment
        return now - self.ago if self.ago < now - _EPOCH else _EPOCH

    def __str__(self) -> str:
        if self.moment is not None:
            return print_time(self.moment)
        seconds = int(self.ago.total_seconds())
        unit = next(unit for unit in reversed(UNITS) if seconds % UNITS[unit] == 0)
        return f"-{seconds // UNITS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment to just before another; an end that is not said is open."""

    start: When | None
    end: When | None

    def __str__(self) -> str:
        return f"{self.start or ''}..{self.end or ''}"


@dataclass(frozen=True, slots=True)
class Span:
    """From one position to another, both included; an end that is not said is open."""

    start: int | None
    end: int | None

    def __str__(self) -> str:
        if self.start is not None and self.start == self.end:
            return str(self.start)
        return f"{'' if self.start is None else self.start}..{'' if self.end is None else self.end}"


TermValue = str | EntityRef | When | Period | Span


@dataclass(frozen=True, slots=True)
class Term:
    """One of these values must be what the event has, or none of them where it is negated."""

    key: TermKey
    values: tuple[TermValue, ...]
    negated: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.negated else ''}{self.key}:{','.join(_print_value(value) for value in self.values)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """Terms that must all hold; none at all lets every event pass."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    @property
    def bounded(self) -> bool:
        """Whether a term narrows by an index what would have to be read: what `text:` needs beside it."""
        return any(not term.negated and _narrows(term) for term in self.terms)


_WIDE = (TermKey.TEXT, TermKey.EVENT, TermKey.BEFORE)


def _narrows(term: Term) -> bool:
    return term.key not in _WIDE and all(
        value.start is not None for value in term.values if isinstance(value, Period | Span)
    )


def parse_filter(text: str) -> Filter:
    """The filter that a text asks for; raises `MalformedFilter`, naming the column and what was expected there."""
    if len(text) > FILTER_LENGTH_MAX:
        _malformed(FILTER_LENGTH_MAX + 1, f"the end of it, after {FILTER_LENGTH_MAX:,} characters", f"{len(text):,}")
    parsed = _Reader(text).read()
    for column, term in parsed:
        if term.key is TermKey.TEXT and not Filter(tuple(term for _, term in parsed)).bounded:
            _malformed(
                column,
                "a term that narrows the search beside text:, as type, outcome, entity, actor, owner, executor, under, "
                "job, is, after, or a position or time of occurrence with a start",
                "text: alone",
            )
    return Filter(tuple(term for _, term in parsed))


def _malformed(column: int, expected: str, there: str) -> NoReturn:
    sentence = f"At column {column:,} of the filter there must be {expected}, and there is {there}."
    raise MalformedFilter(sentence, column=column, expected=expected)


class _Reader:
    """Reads a filter from left to right; columns count from 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> list[tuple[int, Term]]:
        terms: list[tuple[int, Term]] = []
        while self._skip_spaces():
            if len(terms) == TERMS_MAX:
                self._expected(f"the end, after {TERMS_MAX} terms")
            terms.append((self._at + 1, self._term()))
        return terms

    def _skip_spaces(self) -> bool:
        while self._peek() in _SPACES:
            self._at += 1
        return self._at < len(self._text)

    def _peek(self) -> str:
        """The next character; at the end none, which is in no set of characters."""
        return self._text[self._at] if self._at < len(self._text) else "end"

    def _term(self) -> Term:
        negated = self._peek() == "-"
        self._at += negated
        word = _WORD.match(self._text, self._at)
        key = _KEYS.get(word[1]) if word else None
        if word is None or key is None:
            self._expected(f"a term that begins with one of {', '.join(f'{key}:' for key in TermKey)}")
        self._at = word.end()
        values = [self._value(key)]
        while self._peek() == ",":
            if key in _SINGLE:
                self._expected(f"no more than one time in {key}:")
            if len(values) == VALUES_MAX:
                self._expected(f"no more than {VALUES_MAX} values in {key}:")
            self._at += 1
            values.append(self._value(key))
        return Term(key, tuple(values), negated)

    def _value(self, key: TermKey) -> TermValue:
        begun = self._at
        text = self._quoted() if self._peek() == '"' else self._bare()
        if self._peek() not in (*_SPACES, ",", "end"):
            self._expected("a space or a comma behind the quoted value")
        what, read = _READERS[key]
        try:
            return read(check_text(text))
        except HostileText:
            self._at = begun
            self._expected("a value without NUL and halves of surrogate pairs")
        except BadInput:
            self._at = begun
            self._expected(what)

    def _quoted(self) -> str:
        begun, characters = self._at, []
        self._at += 1
        while (char := self._peek()) != '"':
            if char == "end":
                self._at = begun
                self._expected("a quote that is closed")
            if char == "\\":
                self._at += 1
                if self._peek() not in _ESCAPED:
                    self._expected("a quote or a backslash behind the backslash")
            characters.append(self._peek())
            self._at += 1
        self._at += 1
        return "".join(characters)

    def _bare(self) -> str:
        begun = self._at
        while self._peek() not in (*_SPACES, ",", "end"):
            if self._peek() == '"':
                self._expected("quotes around the whole value")
            self._at += 1
        return self._text[begun : self._at]

    def _expected(self, what: str) -> NoReturn:
        rest = self._text[self._at : self._at + _SHOWN_MAX + 1]
        shown = ascii(rest[:_SHOWN_MAX]) + ("…" if len(rest) > _SHOWN_MAX else "")
        _malformed(self._at + 1, what, shown if rest else "its end")


_SPACES = (" ", "\t", "\n", "\r")
_ESCAPED = ('"', "\\")
_WORD = re.compile(r"([a-z]+):")
_KEYS: Mapping[str, TermKey] = {str(key): key for key in TermKey}
_SINGLE = (TermKey.BEFORE, TermKey.AFTER)


# --- Values

_AGO = re.compile(r"-(\d{1,9})([smhdw])", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)


def _wrong() -> BadInput:
    return BadInput("This value is none that its key takes.")  # the reader says which and where


def _text_of(limit: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not 1 <= len(text) <= limit:
            raise _wrong()
        return text

    return read


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise _wrong()
        return text

    return read


def _entity(text: str) -> EntityRef:
    try:
        return EntityRef.parse(text)
    except ValueError:  # what pydantic makes of a bad part
        raise _wrong() from None


def _when(text: str) -> When:
    ago = _AGO.fullmatch(text)
    if ago:
        try:
            return When(ago=timedelta(seconds=int(ago[1]) * UNITS[ago[2]]))
        except OverflowError:
            raise _wrong() from None
    return When(parse_time(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text))


def _period(text: str) -> Period:
    start, dots, end = text.partition("..")
    if not dots or not (start or end):
        raise _wrong()
    return Period(_when(start) if start else None, _when(end) if end else None)


def _span(text: str) -> Span:
    start, dots, end = text.partition("..")
    span = Span(_position(start), _position(end) if dots else _position(start))
    if span == Span(None, None) or (span.start or 0) > (POSITION_MAX if span.end is None else span.end):
        raise _wrong()
    return span


def _position(text: str) -> int | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or int(text) > POSITION_MAX:
        raise _wrong()
    return int(text)


def _words(words: tuple[str, ...]) -> tuple[str, Callable[[str], TermValue]]:
    return f"one of {', '.join(words)}", _one_of(words)


_TIME = "a time like 2026-11-01, 2026-11-01T03:12:00Z or -2h (s, m, h, d, w)"
_READERS: Mapping[TermKey, tuple[str, Callable[[str], TermValue]]] = {
    TermKey.TYPE: ("a type of 1 to 64 characters", _text_of(64)),
    TermKey.OUTCOME: _words(tuple(map(str, Outcome))),
    TermKey.ENTITY: ("an entity that reads TYPE/ID", _entity),
    TermKey.ACTOR: ("an actor of 1 to 256 characters", _text_of(256)),
    TermKey.OWNER: ("an owner of 1 to 200 characters", _text_of(200)),
    TermKey.EXECUTOR: ("an executor of 1 to 256 characters", _text_of(256)),
    TermKey.UNDER: ("a job id of 1 to 200 characters", _text_of(200)),
    TermKey.JOB: ("a job id of 1 to 200 characters", _text_of(200)),
    TermKey.EVENT: _words((*FACTS_BY_NAME, Damaged.name)),
    TermKey.BEFORE: (_TIME, _when),
    TermKey.AFTER: (_TIME, _when),
    TermKey.OCCURRED: ("a period like 2026-11-01..2026-11-02, -2h.. or ..-2h", _period),
    TermKey.POSITION: ("positions like 100..200, 100.., ..200 or 100, low before high, below 2^63", _span),
    TermKey.IS: _words(tuple(map(str, Trait))),
    TermKey.TEXT: (f"a text of 1 to {TEXT_LENGTH_MAX:,} characters", _text_of(TEXT_LENGTH_MAX)),
}


def _print_value(value: TermValue) -> str:
    text = str(value)
    plain = text and not any(char in ',"\\' or char.isspace() for char in text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
