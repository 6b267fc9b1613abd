"""A filter of history as a search in SQL over `history.entries`, each term in a form that an index serves.

Values travel as parameters. Bounds of position are said in each part anew, since the planner does not carry them from
one table to another. What is told of a job or a tree is gathered as an array first, so that the planner cannot read the
whole ledger for it instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.asking.search import Window
from ledger.domain.entities import EntityRef
from ledger.domain.filters import Filter, Period, Span, Term, TermKey, TermValue, Trait, When
from ledger.domain.values import POSITION_MAX

_TRAITS = {trait: "held" if trait is Trait.ON_HOLD else str(trait) for trait in Trait}
Condition = Callable[[str], str]  # a condition on the column that is named


EVERYTHING = Window()


class SearchSql:
    """The search for a filter: `positions` and `conditions` are SQL, `parameters` their values."""

    def __init__(self, which: Filter, now: datetime, window: Window = EVERYTHING) -> None:
        self.parameters: dict[str, Any] = {}
        self._now = now
        self._order = "ASC" if window.oldest else "DESC"
        self._limit = "" if window.limit is None else f" LIMIT {self._value(window.limit)}::bigint"
        self._bounds: list[Condition] = []
        if window.after is not None:
            self._bound_by(Span(_position(window.after + 1), None))
        if window.before is not None:
            self._bound_by(Span(None, _position(window.before - 1)))
        if window.upto is not None:
            self._bound_by(Span(None, _position(window.upto)))
        self._upto = window.upto
        for term in which.terms:
            self._take_bounds(term)
        self._terms = which.terms

    @property
    def conditions(self) -> str:
        """What must be so of a row `e` of `history.entries`."""
        return " AND ".join(self._conditions(self._terms)) or "true"

    @property
    def positions(self) -> str:
        """A SELECT of the positions of what is found, in order, each once."""
        parts = [self._select(terms) for terms in _branches(self._terms)]
        if len(parts) == 1:
            return parts[0]
        union = " UNION ".join(f"({part})" for part in parts)
        return f"SELECT position FROM ({union}) AS either ORDER BY position {self._order}{self._limit}"

    def _select(self, terms: Sequence[Term]) -> str:
        conditions = " AND ".join(self._conditions(terms)) or "true"
        order = f"ORDER BY e.position {self._order}{self._limit}"
        return f"SELECT e.position FROM history.entries AS e WHERE {conditions} {order}"

    def _value(self, value: Any) -> str:
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"

    # --- Bounds of position

    def _bound_by(self, span: Span) -> None:
        if span.start is not None:
            start = self._value(span.start)
            self._bounds.append(lambda column: f"{column} >= {start}::bigint")
        if span.end is not None:
            end = self._value(span.end)
            self._bounds.append(lambda column: f"{column} <= {end}::bigint")

    def _take_bounds(self, term: Term) -> None:
        """Note what a term says of position; times of recording never decrease with it."""
        if term.key in (TermKey.BEFORE, TermKey.AFTER):
            self._bound_by_time(term)
        elif term.key is TermKey.POSITION and not term.negated:
            spans = [value for value in term.values if isinstance(value, Span)]
            starts, ends = [span.start for span in spans], [span.end for span in spans]
            self._bound_by(Span(_least(starts), None))
            self._bound_by(Span(None, _most(ends)))

    def _bound_by_time(self, term: Term) -> None:
        (when,) = term.values
        assert isinstance(when, When)  # noqa: S101 - the key says so
        moment = self._value(when.at(self._now))
        first = (
            "coalesce((SELECT b.position FROM history.entries AS b "
            f"WHERE b.recorded_at >= {moment}::timestamptz ORDER BY b.recorded_at, b.position LIMIT 1), {POSITION_MAX})"
        )
        sign = ">=" if (term.key is TermKey.AFTER) is not term.negated else "<"
        self._bounds.append(lambda column: f"{column} {sign} {first}")

    def _within(self, column: str) -> str:
        return "".join(f" AND {bound(column)}" for bound in self._bounds)

    # --- Terms

    def _conditions(self, terms: Sequence[Term]) -> list[str]:
        conditions = [bound("e.position") for bound in self._bounds]
        for term in terms:
            condition = self._condition(term)
            if condition is not None:
                conditions.append(f"({condition}) IS NOT TRUE" if term.negated else condition)
        return conditions

    def _condition(self, term: Term) -> str | None:
        """What must be so, as if the term were not negated; None where the bounds have said it."""
        key, values = term.key, term.values
        if key in _COLUMNS:
            return (
                f"e.{key} = ANY({self._value(list(values))}::text[])" if len(values) > 1 else self._equal(key, values)
            )
        if key in (TermKey.JOB, TermKey.UNDER):
            return f"e.position = ANY(ARRAY({(self._of_jobs if key is TermKey.JOB else self._below)(values)}))"
        if key in (TermKey.BEFORE, TermKey.AFTER) or (
            key is TermKey.POSITION and len(values) == 1 and not term.negated
        ):
            return None
        return _either([self._one(key, value) for value in values])

    def _equal(self, key: TermKey, values: Sequence[TermValue]) -> str:
        return f"e.{key} = {self._value(values[0])}::text"

    def _one(self, key: TermKey, value: TermValue) -> str:
        if isinstance(value, EntityRef):
            return (
                "EXISTS (SELECT FROM history.touched AS t WHERE t.position = e.position "
                f"AND t.entity_type = {self._value(value.type)}::text "
                f"AND t.entity_id = {self._value(value.id)}::text{self._within('t.position')})"
            )
        if isinstance(value, Span):
            return self._within_span(value)
        if isinstance(value, Period):
            return self._within_period(value)
        if key is TermKey.IS:
            return self._revised() if value == Trait.REVISED else f"e.{_TRAITS[Trait(str(value))]}"
        return f'strpos(lower(e.words), lower({self._value(value)}::text COLLATE "C")) > 0'

    def _revised(self) -> str:
        by = "" if self._upto is None else f" AND e.revised_position <= {self._value(self._upto)}::bigint"
        return f"e.revised_position IS NOT NULL{by}"

    def _within_span(self, span: Span) -> str:
        start = 0 if span.start is None else span.start
        end = POSITION_MAX if span.end is None else span.end
        return f"e.position BETWEEN {self._value(start)}::bigint AND {self._value(end)}::bigint"

    def _within_period(self, period: Period) -> str:
        signs = ((">=", period.start), ("<", period.end))
        conditions = [
            f"e.occurred_at {sign} {self._value(when.at(self._now))}::timestamptz"
            for sign, when in signs
            if when is not None
        ]
        return f"({' AND '.join(conditions)})"

    def _of_jobs(self, jobs: Sequence[TermValue]) -> str:
        streams = self._value([f"job:{job}" for job in jobs])
        return (
            f"SELECT s.notification_id FROM ledger.stored_events AS s WHERE s.originator_id = ANY({streams}::text[])"
            f"{self._within('s.notification_id')}"
        )

    def _below(self, jobs: Sequence[TermValue]) -> str:
        """The events of jobs and of all below them; under whom a job was is kept with each event of it."""
        tops = self._value(list(jobs))
        return (
            f"{self._of_jobs(jobs)} UNION SELECT c.position FROM history.entries AS c WHERE c.parent = ANY(ARRAY("
            f'WITH RECURSIVE below AS (SELECT unnest({tops}::text[]) COLLATE "C" AS job UNION '
            "SELECT j.job FROM below JOIN history.jobs AS j ON j.parent = below.job) SELECT job FROM below))"
            f"{self._within('c.position')}"
        )


_COLUMNS = (TermKey.TYPE, TermKey.OUTCOME, TermKey.ACTOR, TermKey.OWNER, TermKey.EXECUTOR, TermKey.EVENT)
_SOUGHT = (*_COLUMNS, TermKey.ENTITY, TermKey.IS)


def _branches(terms: Sequence[Term]) -> list[list[Term]]:
    """The same terms, or one list for each value of one of them where only that keeps to the order of an index."""
    sought = [term for term in terms if term.key in _SOUGHT and not term.negated]
    gathered = any(term.key in (TermKey.JOB, TermKey.UNDER) and not term.negated for term in terms)
    if gathered or not sought or any(len(term.values) == 1 for term in sought):
        return [list(terms)]
    split = min(sought, key=lambda term: len(term.values))
    return [
        [replace(term, values=(value,)) if term is split else term for term in terms]
        for value in dict.fromkeys(split.values)
    ]


def _position(number: int) -> int:
    """The nearest that a position can be."""
    return max(0, min(number, POSITION_MAX))


def _either(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(conditions)})"


def _least(starts: Sequence[int | None]) -> int | None:
    known = [start for start in starts if start is not None]
    return min(known) if len(known) == len(starts) else None


def _most(ends: Sequence[int | None]) -> int | None:
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None
