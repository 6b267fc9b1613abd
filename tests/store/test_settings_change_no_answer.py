"""Each setting that a role, a database or a server may have: same records, same answers, or one sentence."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.asking.answers import JobFilter
from ledger.domain.entities import Access
from ledger.errors import EntityBusy, LedgerError, Unavailable
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.service.asking import open_questions
from ledger.service.assembly import open_ledger
from ledger.service.readiness import bring_up
from ledger.store.connection import SETTINGS, connect
from ledger.store.seals import SealTable
from projections.inline import rebuild
from tests.store.controls import look_at

HARMFUL = {
    "client_encoding": "SQL_ASCII",
    "client_min_messages": "error",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "timezone": "Asia/Kathmandu",
    "timezone_abbreviations": "Australia",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "escape_string_warning": "off",
    "search_path": "projections_rebuild, history, ledger",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_deferrable": "on",
    "row_security": "off",
    "lock_timeout": "20s",
    "idle_session_timeout": "20s",
    "idle_in_transaction_session_timeout": "20s",
    "plan_cache_mode": "force_custom_plan",
    "quote_all_identifiers": "on",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "check_function_bodies": "off",
    "session_replication_role": "replica",
    "xmloption": "document",
    "xmlbinary": "hex",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "lc_messages": "C",
    "work_mem": "64kB",
    "hash_mem_multiplier": "1",
    "maintenance_work_mem": "1MB",
    "temp_buffers": "800kB",
    "gin_fuzzy_search_limit": "1",
    "synchronize_seqscans": "on",
    "exit_on_error": "on",
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    "default_text_search_config": "pg_catalog.german",
    "default_toast_compression": "pglz",
    "debug_parallel_query": "on",
    "max_parallel_workers_per_gather": "0",
    "jit_above_cost": "0",
    "geqo_threshold": "2",
    "from_collapse_limit": "1",
    "join_collapse_limit": "1",
    "cursor_tuple_fraction": "0.0001",
    "constraint_exclusion": "on",
    "default_statistics_target": "1",
    "stats_fetch_consistency": "none",
    "track_activities": "off",
    "log_statement": "all",
    "synchronous_commit": "remote_apply",
    "commit_delay": "1000",
    "client_connection_check_interval": "1s",
    "lo_compat_privileges": "on",
    "vacuum_cost_delay": "100ms",
    "createrole_self_grant": "set, inherit",
    **{
        f"enable_{name}": "off"
        for name in (
            "bitmapscan", "hashagg", "hashjoin", "incremental_sort", "indexonlyscan", "indexscan", "material",
            "memoize", "mergejoin", "nestloop", "partition_pruning", "seqscan", "sort", "tidscan",
        )
    },
}  # fmt: skip
BOUNDS = {
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "transaction_timeout": "1ms",
    "temp_file_limit": "0",
}
TEXT = "Ünïcødé 'quoted' \"twice\" back\\slash NULL {NULL,1} %s $1 10:00 \u2028 🐘"
RESULT = {"third": 1 / 3, "text": TEXT, "nothing": None, "words": ["NULL", None, "t"]}
READ_ONLY = "default_transaction_read_only is on for its role, database or server"
SINCE = re.compile("'since': '[^']*'")
PASSED = re.compile(r"elapsed_seconds=[^,)]*|'elapsed_seconds': [^,}]*")


class Place(NamedTuple):
    """A database with a ledger, a plain role, and one that settings are set for."""

    superuser: str
    plain: str
    settled: str
    role: str


def _do(superuser: str, *statements: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as admin:
        for statement in statements:
            admin.execute(statement)


@contextmanager
def _roles(superuser: str, attributes: str) -> Iterator[Place]:
    plain, settled = (f"{name}_{uuid.uuid4().hex[:8]}" for name in ("plain", "settled"))
    _do(superuser, *(f"CREATE ROLE {role} LOGIN PASSWORD 'p' {attributes}" for role in (plain, settled)))
    try:
        named = [make_conninfo(superuser, user=role, password="p", options="") for role in (plain, settled)]
        yield Place(superuser, named[0], named[1], settled)
    finally:
        for role in (plain, settled):
            _do(superuser, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.fixture
def place(superuser: str) -> Iterator[Place]:
    with _roles(superuser, "IN ROLE jobledger_writer, jobledger_sealer") as made:
        yield made


def _knows(place: Place, name: str) -> bool:
    with psycopg.connect(place.superuser) as admin:
        return bool(admin.execute("SELECT 1 FROM pg_settings WHERE lower(name) = %s", (name,)).fetchall())


def _set(place: Place, name: str, value: str) -> None:
    if not _knows(place, name):
        pytest.skip(f"This server has no {name}.")
    values = ", ".join(f"'{part.strip()}'" for part in value.split(",")) if name == "search_path" else f"'{value}'"
    _do(place.superuser, f"ALTER ROLE {place.role} SET {name} = {values}")


def _story(ledger: Ledger, top: str) -> None:
    """Most of what may be said of a job and those below it."""
    disk = {"type": "disk", "id": f"{top}-d'\\1"}
    ledger.plan(
        "Rémove", job=top, actor=TEXT[:60], reason=TEXT, deadline="2100-01-01T01:02:03.456789Z", entities=[disk],
    )  # fmt: skip
    ledger.plan("Part", job=f"{top}/1", parent=top, entities=[{"type": "host", "id": "h", "access": "shared"}])
    with pytest.raises(EntityBusy):
        ledger.plan("Rémove", job=f"{top}/refused", entities=[disk])
    ledger.submit(f"{top}/1", "agent", f"token-{top}")
    ledger.accept(f"{top}/1", f"ext\\{top}", "agent")
    ledger.start(f"{top}/1")
    ledger.progress(f"{top}/1", 33.333333333333336, message=TEXT)
    ledger.cancel(top, reason="NULL")
    for disposition in ("recorded", "unchanged"):
        assert str(ledger.succeed(f"{top}/1", RESULT).disposition) == disposition
    lines = (
        f'{{"job":"{top}/i","event":"planned","type":"T","at":"2017-05-16T00:00:17.541Z","actor":"NULL"}}',
        f'{{"job":"{top}/i","event":"failed","at":"2017-05-16T00:00:18Z","error":{{"message":"x\\\\y"}}}}',
        "no record",
    )
    summary = ledger.import_records(line.encode() for line in lines)
    assert (summary.recorded, summary.rejected) == (2, 1)


def _told(ledger: Ledger, top: str) -> list[str]:
    """What a story has left on record, under a name that all have."""
    jobs = (top, f"{top}/1", f"{top}/refused", f"{top}/i")
    told = [repr(entry.event.fact).replace(top, "top") for job in jobs for entry in ledger.events(job=job)]
    return [SINCE.sub("", fact) for fact in told]


Ask = Callable[[Ledger, str], Any]
QUESTIONS: dict[str, Ask] = {
    "job": lambda ledger, top: [ledger.job(top), ledger.job(f"{top}/1"), ledger.job(f"{top}/i")],
    "jobs": lambda ledger, _: [*ledger.jobs(JobFilter())],
    "active": lambda ledger, _: [*ledger.jobs(JobFilter(active=True, expired=False))],
    "phase": lambda ledger, _: [*ledger.jobs(JobFilter(phase="closed", outcome="succeeded", type="Part"))],
    "tree": lambda ledger, top: ledger.tree(top),
    "roll_up": lambda ledger, top: ledger.roll_up(top),
    "busy": lambda ledger, top: [
        (answer.entity, [*answer.jobs], answer.position)
        for answer in ledger.busy_all([f"disk/{top}-d'\\1", "host/h", "host/none"])
    ],
    "would": lambda ledger, top: [*ledger.busy("host/h", would=Access.EXCLUSIVE, besides=f"{top}/i").jobs],
    "history": lambda ledger, top: [*ledger.history(top)],
    "events": lambda ledger, _: [*ledger.events()],
    "search": lambda ledger, top: [
        [found.as_json() for found in ledger.search(which).entries()]
        for which in (f"job:{top}", "event:refused after:-1h", f'under:{top} text:"back"', "type:Part")
    ],
    "durations": lambda ledger, _: ledger.search("type:T").durations(),
    "past": lambda ledger, top: [ledger.as_of(2).job("plain"), ledger.as_of("2100-01-01T00:00:00Z").tree(top)],
    "diff": lambda ledger, _: ledger.as_of(1).diff(ledger.as_of(ledger.position())).as_json(),
    "expiry": lambda ledger, _: ledger.expiry(),
    "owners": lambda ledger, _: ledger.owners(),
    "due": lambda ledger, _: ledger.due_to_close(),
    "unsettled": lambda ledger, _: ledger.unsettled(),
}  # fmt: skip


def _answer(ledger: Ledger, top: str, question: str) -> str:
    return PASSED.sub("", repr(QUESTIONS[question](ledger, top)))


@pytest.mark.parametrize("name", HARMFUL)
def test_no_setting_of_a_role_changes_an_answer(place: Place, name: str, tmp_path: Path) -> None:
    with closing(open_ledger(place.plain)) as plain:
        _story(plain, "plain")
        _set(place, name, HARMFUL[name])
        with closing(open_ledger(place.settled)) as settled:
            _story(settled, "other")
            assert _told(plain, "other") == _told(plain, "plain")
            for question in QUESTIONS:
                for top in ("plain", "other"):
                    assert _answer(settled, top, question) == _answer(plain, top, question), question
        with open_questions(place.settled) as settled_question:
            assert PASSED.sub("", repr([*settled_question.jobs()])) == PASSED.sub("", repr([*plain.jobs()]))
    file = KeyFile(tmp_path / "key")
    sealed = Sealer(SealTable(lambda: connect(place.settled)), file).seal()
    assert Sealer(SealTable(lambda: connect(place.plain)), file).seal().signed == sealed.signed
    key = file.verifier()
    assert key is not None
    rooms = (SealTable(partial(connect, dsn)) for dsn in (place.plain, place.settled))
    reports = [Verifier(room, Trust((key,), "the key of the test"), file.kept()).verify() for room in rooms]
    assert reports[0] == reports[1]
    assert not reports[0].findings


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_that_is_too_narrow_is_told_in_one_sentence(place: Place, name: str) -> None:
    """And what was recorded within it, is; nothing else happens."""
    with closing(open_ledger(place.plain)) as plain:
        _story(plain, "plain")
        _set(place, name, BOUNDS[name])
        for _ in range(3):
            error = _error_in_use(place.settled, plain)
            assert error is None or isinstance(error, Unavailable)
            assert error is None or re.fullmatch(r"[A-Z][^\n]*\.", str(error))


def _error_in_use(conninfo: str, plain: Ledger) -> LedgerError | None:
    """What a ledger cannot do over a connection; what it answers must be right."""
    try:
        with closing(open_ledger(conninfo)) as settled:
            for question in QUESTIONS:
                assert _answer(settled, "plain", question) == _answer(plain, "plain", question), question
            settled.plan("T")
    except LedgerError as error:
        return error
    return None


def test_who_may_only_read_by_a_setting_is_told_so(place: Place, tmp_path: Path) -> None:
    """It is not overruled; questions are answered."""
    with closing(open_ledger(place.plain)) as plain:
        _story(plain, "plain")
        [*plain.search("type:T").entries()]
        _set(place, "default_transaction_read_only", "on")
        with closing(open_ledger(place.settled)) as settled:
            for question in QUESTIONS:
                assert _answer(settled, "plain", question) == _answer(plain, "plain", question), question
            with pytest.raises(Unavailable, match=READ_ONLY):
                settled.plan("T")
        with pytest.raises(Unavailable, match=READ_ONLY):
            Sealer(SealTable(partial(connect, place.settled)), KeyFile(tmp_path / "key")).seal()
        with connect(place.settled) as connection:
            warnings = [found.sentence for found in look_at(connection) if found.level == "warning"]
        assert [sentence for sentence in warnings if "default_transaction_read_only" in sentence]


@pytest.mark.parametrize("where", ["role", "database", "server", "role in database"])
def test_wherever_it_is_set(place: Place, where: str) -> None:
    database = psycopg.conninfo.conninfo_to_dict(place.superuser)["dbname"]
    at = {
        "role": f"ALTER ROLE {place.role}",
        "database": f"ALTER DATABASE {database}",
        "server": "ALTER SYSTEM",
        "role in database": f"ALTER ROLE {place.role} IN DATABASE {database}",
    }[where]
    wrong = {"transform_null_equals": "on", "client_min_messages": "error", "array_nulls": "off", "timezone": "EST"}
    try:
        _do(
            place.superuser,
            *(f"{at} SET {name} = '{value}'" for name, value in wrong.items()),
            "SELECT pg_reload_conf()",
        )
        with closing(open_ledger(place.settled)) as settled, settled._feed._datastore.connection() as connection:
            for name, value in SETTINGS.items():
                shown = connection.execute(f"SHOW {name}").fetchall()[0]
                assert (
                    next(iter(shown.values())).partition(",")[0].lower() == value.strip("'").partition(",")[0].lower()
                )
            _story(settled, "other")
    finally:
        _do(place.superuser, *(f"{at} RESET {name}" for name in wrong), "SELECT pg_reload_conf()")


OF_THE_SCHEMA = (
    "client_encoding", "client_min_messages", "datestyle", "intervalstyle", "timezone", "bytea_output",
    "standard_conforming_strings", "search_path", "default_transaction_isolation", "row_security",
    "quote_all_identifiers", "array_nulls", "transform_null_equals", "check_function_bodies",
    "session_replication_role", "exit_on_error", "restrict_nonsystem_relation_kind", "default_toast_compression",
    "createrole_self_grant", "track_activities", "work_mem", "debug_parallel_query", "enable_seqscan",
)  # fmt: skip


@pytest.mark.parametrize("name", OF_THE_SCHEMA)
def test_no_setting_changes_what_is_made_rebuilt_and_diagnosed(empty_database: str, name: str) -> None:
    with _roles(empty_database, "SUPERUSER") as place:
        _set(place, name, HARMFUL[name])
        bring_up(place.settled)
        with closing(open_ledger(place.plain)) as plain:
            _story(plain, "plain")
            before = _answer(plain, "plain", "jobs")
            with connect(place.settled) as connection:
                assert set(rebuild.compare(connection).values()) == {0}
                rebuild.rebuild(connection)
                found = look_at(connection)
            assert _answer(plain, "plain", "jobs") == before
        with connect(place.plain) as connection:
            assert [*map(str, found)] == [*map(str, look_at(connection))]
