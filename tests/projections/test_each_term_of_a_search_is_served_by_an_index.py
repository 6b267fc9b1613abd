from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import ClientCursor
from psycopg.rows import dict_row

from ledger import clock
from ledger.asking.search import Window
from ledger.domain.filters import TermKey, Trait, parse_filter
from ledger.domain.values import print_time
from ledger.service.assembly import assemble
from ledger.store.connection import connect
from projections.followed import follower
from projections.queries.filters import SearchSql
from projections.statements import QUERIES as SQL
from tests.benchmarks.loaded import Size, load

RARE: list[dict[str, Any]] = [
    {"job": "top", "event": "planned", "type": "Rare", "actor": "ann", "owner": "engine"},
    {"job": "mid", "event": "planned", "type": "Rare", "parent": "top"},
    {"job": "low", "event": "planned", "type": "Rare", "parent": "mid", "entities": [{"type": "disk", "id": "rare"}]},
    {"job": "low", "event": "submitted", "executor": "vdsm", "token": "t"},
    {"job": "low", "event": "contact_lost", "reason": "the network is down"},
    {"job": "low", "event": "cancel_requested", "actor": "bob"},
    {"job": "low", "event": "hold_placed", "actor": "bob"},
    {"job": "low", "event": "lost", "actor": "recovery", "residue": True},
    {"job": "low", "event": "resolved", "outcome": "failed"},
    {"job": "low", "event": "disputed", "evidence": "it is there"},
    {"job": "old", "event": "planned", "type": "Rare", "at": "2001-01-01T00:00:00Z"},
    {"job": "old", "event": "failed", "at": "2001-01-02T00:00:00Z"},
    {"job": "old", "event": "expired", "policy": "hyperv", "cause": "keep_for"},
]
JOBS, ROWS_MAX = 33_000, 300
ALL_OF_ONE_ACTOR = 3_000  # 2 of 100 events are by a7: fewer are not worth an order
# Which of two terms is the rare one, or whether a period is a short one, shows only once a table was analysed.
ONLY_ANALYZED = ("entity:disk/busy type:Rare", "occurred:..2002-01-01")
READS = """
SELECT sum(seq_scan)::int AS scans, sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int AS rows
FROM pg_stat_xact_user_tables WHERE schemaname IN ('history', 'ledger')
"""
TERMS = [
    "type:Rare", "type:Rare,Never", "outcome:failed", "outcome:failed,unknown", "entity:disk/rare",
    "entity:disk/rare,disk/never", "actor:ann", "actor:ann,bob", "owner:engine", "executor:vdsm", "under:top",
    "under:mid", "under:mid,old", "job:low", "job:low,old", "event:resolved", "event:hold_placed,disputed",
    "before:{first}", "after:{first} before:{second}", "occurred:2001-01-01..2001-01-02", "occurred:..2002-01-01",
    "position:..5", "position:3", "position:1..2,4..5", "text:NETWORK type:Rare", "text:network entity:disk/rare",
    "is:on_hold", "is:expired", "is:disputed", "is:cancel_requested", "is:contact_lost", "is:residue", "is:verdict",
    "is:revised", "is:on_hold,expired", "entity:disk/rare type:Rare actor:bob -event:lost",
    "entity:disk/busy type:Rare", "type:BackupDisk actor:a7", "-type:Rare", "entity:disk/busy",
    "after:-1h -actor:a7", "",
]  # fmt: skip


@pytest.fixture
def told(superuser: str, conninfo: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A session on a history of 100,000 events, what is rare at its beginning."""
    with assemble(conninfo) as ledger:
        for record in RARE:
            ledger.record(record)
    load(superuser, Size(JOBS, 3))
    with connect(superuser) as session:
        session.execute("ALTER TABLE history.entries SET (autovacuum_enabled = off)")
        session.execute("ALTER TABLE history.touched SET (autovacuum_enabled = off)")
        session.execute("ALTER TABLE history.jobs SET (autovacuum_enabled = off)")
        assert follower.follow(session) > 99_000
        yield session


def test_each_term_of_a_search_is_served_by_an_index(told: psycopg.Connection[dict[str, Any]]) -> None:
    """A page reads no table and few rows for each, from either end, before and after the first ANALYZE."""
    assert {term.key for text in TERMS for term in parse_filter(_dated(told, text)).terms} == set(TermKey)
    assert all(any(f"is:{mark}" in text for text in TERMS) for mark in Trait)
    for analyzed in (False, True):
        if analyzed:
            told.execute("ANALYZE history.entries, history.touched, history.jobs")
        for text in TERMS:
            for oldest in (False, True):
                found, read = _ask(told, _dated(told, text), oldest=oldest)
                assert found > 0 or text == "entity:disk/busy type:Rare"
                assert read["scans"] == 0, (text, oldest, analyzed)
                assert read["rows"] <= _rows_max(text, analyzed=analyzed), (text, oldest, analyzed, read)


def _rows_max(text: str, *, analyzed: bool) -> int:
    if not analyzed and text in ONLY_ANALYZED:
        return 4 * JOBS
    return ALL_OF_ONE_ACTOR if text == "type:BackupDisk actor:a7" else ROWS_MAX


def _dated(session: psycopg.Connection[dict[str, Any]], text: str) -> str:
    rows = session.execute(
        "SELECT recorded_at FROM history.entries WHERE position IN (5, 7) ORDER BY position"
    ).fetchall()
    first, second = (print_time(row["recorded_at"]) for row in rows)
    return text.format(first=first, second=second)


def _ask(session: psycopg.Connection[dict[str, Any]], text: str, *, oldest: bool) -> tuple[int, dict[str, Any]]:
    search = SearchSql(parse_filter(text), clock.now(), Window(oldest=oldest, limit=50))
    statement = SQL["select_history"].replace("found_positions", search.positions)
    with session.transaction(force_rollback=True):
        session.execute(SQL["enter_search"])
        (before,) = session.execute(READS).fetchall()
        rows = ClientCursor(session, row_factory=dict_row).execute(statement, search.parameters).fetchall()
        (after,) = session.execute(READS).fetchall()
    return sum(row["position"] is not None for row in rows), {name: after[name] - before[name] for name in after}
