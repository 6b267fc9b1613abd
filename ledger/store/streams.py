"""Streams read page by page, however long they are.

Names are sent as JSON in ASCII, which can be told of any text, so that PostgreSQL says what is no Unicode.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from psycopg import Connection, Cursor

from ledger.domain.events import RecordedEvent
from ledger.domain.values import POSITION_MAX
from ledger.store.connection import Connect
from ledger.store.reading import read_all
from ledger.store.statements import SQL

PAGE_EVENTS_MAX = 500
PAGE_STREAMS_MAX, PAGE_OF_EACH_MAX = 500, 100


def ask_page(connection: Connection[Any], after: Mapping[str, int], limit: int) -> Cursor[Any]:
    """Ask for the rows of `read_page`; they come once these are fetched."""
    return connection.execute(SQL["select_streams"], {"after": json.dumps(after), "limit": limit})


def read_page(connection: Connection[Any], after: Mapping[str, int], limit: int) -> list[RecordedEvent]:
    """The next events of each stream after a version, `limit` of each at most, in the order of the ledger."""
    return read_all(connection, ask_page(connection, after, limit).fetchall())


def read_stream(connect: Connect, name: str, after: int = 0, until: int = POSITION_MAX) -> Iterator[RecordedEvent]:
    """The events of one stream (`job:<id>`, `owner:<name>`) after a position and up to another, in order.

    They are read as they are asked for, a page at a time, each over a connection of its own.
    """
    version = 0
    if after > 0:
        with connect() as connection:
            asked = {"stream": name, "position": min(after, POSITION_MAX)}
            version = int(connection.execute(SQL["select_version_at"], asked).fetchall()[0]["version"])
    full = True
    while full:
        with connect() as connection:
            page = read_page(connection, {name: version}, PAGE_EVENTS_MAX)
        full = len(page) == PAGE_EVENTS_MAX
        for entry in page:
            if entry.position > until:
                return
            yield entry
            version = entry.event.version


def read_topic(connect: Connect, names: Sequence[str], topic: str) -> Iterator[RecordedEvent]:
    """The events of streams that are stored under a topic, each stream's in order, a page at a time."""
    for start in range(0, len(names), PAGE_STREAMS_MAX):
        after = dict.fromkeys(names[start : start + PAGE_STREAMS_MAX], 0)
        while after:
            parameters = {"after": json.dumps(after), "topic": topic, "limit": PAGE_OF_EACH_MAX}
            with connect() as connection:
                page = read_all(connection, connection.execute(SQL["select_topic_in_streams"], parameters))
            yield from (entry for entry in page if entry.event.fact.topic == topic)
            counts = Counter(entry.event.stream for entry in page)
            last = {entry.event.stream: entry.event.version for entry in page}
            after = {name: last[name] for name, count in counts.items() if count == PAGE_OF_EACH_MAX}


def read_newest(connection: Connection[Any], names: Iterable[str]) -> list[RecordedEvent]:
    """The newest event of each stream that has one."""
    return read_all(connection, ask_newest(connection, names).fetchall())


def ask_newest(connection: Connection[Any], names: Iterable[str]) -> Cursor[Any]:
    """Ask for the rows of `read_newest`; they come once these are fetched."""
    return connection.execute(SQL["select_newest_events"], {"streams": json.dumps(list(names))})
