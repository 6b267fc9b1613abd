"""Rows as recorded events, each `Damaged` one in its place; what a newer release wrote is no damage."""

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.domain.events import FACTS_BY_TOPIC, Damaged, RecordedEvent
from ledger.store.mapper import Row, damaged_event, read_recorded, unknown_topic
from ledger.store.statements import SQL
from ledger.store.views import Session


def head(session: Session) -> int:
    """The last position of the ledger, 0 where it is empty."""
    return int(session.execute(SQL["select_head"]).fetchall()[0]["head"])


def rows_after(session: Session, after: int, limit: int) -> list[dict[str, Any]]:
    """The next rows after a position, in order, as they are stored."""
    return session.execute(SQL["select_page"], {"after": after, "limit": limit}).fetchall()


def rows_in_turn(session: Session, after: int, limit: int) -> list[dict[str, Any]]:
    """The same, each with whether it stands `in_turn` in its stream."""
    return session.execute(SQL["select_page_in_turn"], {"after": after, "limit": limit}).fetchall()


def read_all(session: Session, rows: Iterable[Mapping[str, Any]]) -> list[RecordedEvent]:
    """The recorded events of rows; raises `SchemaTooNew` where one is of a topic that only a newer release knows."""
    entries = [read_recorded(row) for row in rows]
    check_topics(session, (entry.event.fact.row_topic for entry in entries if type(entry.event.fact) is Damaged))
    return entries


def read_in_turn(session: Session, rows: Iterable[Mapping[str, Any]]) -> list[RecordedEvent]:
    """The same of rows that say whether they stand `in_turn` in their stream; a `Damaged` one where one does not."""
    rows = [*rows]
    entries = read_all(session, rows)
    return [entry if row["in_turn"] else _out_of_turn(entry, row) for entry, row in zip(entries, rows, strict=True)]


def _out_of_turn(entry: RecordedEvent, row: Mapping[str, Any]) -> RecordedEvent:
    if type(entry.event.fact) is Damaged:
        return entry
    stream, version, topic, state = row["originator_id"], row["originator_version"], row["topic"], bytes(row["state"])
    why = f"{stream} version {version:,} must follow version {version - 1:,}, and nothing before it is that."
    return entry._replace(event=damaged_event(Row(stream, version, topic, state), why, entry.recorded_at))


def check_topics(session: Session, topics: Iterable[str]) -> None:
    """Raise `SchemaTooNew` where a migration brought one of these topics, which this release does not know."""
    strange = sorted({topic for topic in topics if topic not in FACTS_BY_TOPIC})
    rows = session.execute(SQL["select_known_topics"], {"topics": strange}).fetchall() if strange else []
    if rows:
        raise unknown_topic("The database", rows[0]["topic"])
