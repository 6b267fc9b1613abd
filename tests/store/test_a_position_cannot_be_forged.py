from datetime import UTC, datetime

import psycopg
import pytest

from ledger.application import Ledger
from tests.store.controls import ROLES, as_role, rows, stray

COLUMNS = "originator_id, originator_version, topic, state"
STRAY = """job.planned.v1', '{"id": "s", "at": "2026-01-02T03:04:05Z", "type": "T"}'"""
FORGERIES = (
    f"INSERT INTO ledger.stored_events ({COLUMNS}, notification_id) OVERRIDING SYSTEM VALUE VALUES ('j',1,'t','',99)",
    f"INSERT INTO ledger.stored_events ({COLUMNS}, recorded_at) VALUES ('j', 1, 't', '', '1999-01-01Z')",
    "SELECT setval('ledger.stored_events_notification_id_seq', 99)",
    "SELECT nextval('ledger.stored_events_notification_id_seq')",
    "SELECT setval('ledger.append_time', 99)",
    "SELECT nextval('ledger.append_time')",
)
GAPS = (
    f"""INSERT INTO ledger.stored_events ({COLUMNS})
    VALUES ('job:b', 1, '{STRAY}), ('job:b', 1, '{STRAY}), ('job:b', 2, '{STRAY}) ON CONFLICT DO NOTHING""",
    f"""INSERT INTO ledger.stored_events ({COLUMNS})
    VALUES ('job:a', 1, '{STRAY}), ('job:b', 1, '{STRAY}) ON CONFLICT DO NOTHING""",
    f"""INSERT INTO ledger.stored_events ({COLUMNS}) SELECT 'job:b' || pg_temp.inside(), 1, '{STRAY}""",
)


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_forges_a_position(superuser: str, role: str, forgery: str) -> None:
    """Neither a position nor a time is given, or made to come, by any role."""
    with as_role(superuser, role) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forgery)
        assert rows(connection) == []


@pytest.mark.parametrize("told", ["1999-01-01T00:00:00Z", "9998-01-01T00:00:00Z", "infinity"])
def test_the_time_of_recording_is_the_servers(superuser: str, told: str) -> None:
    """No setting that a session or an expression within the statement makes has any say in it."""
    before = datetime.now(UTC)
    with as_role(superuser, "jobledger_writer") as connection, connection.transaction():
        connection.execute("SELECT set_config('jobledger.recorded_at', %s, true)", (told,))
        stray(connection, "job:a")
        connection.execute(
            f"INSERT INTO ledger.stored_events ({COLUMNS}) "
            f"SELECT 'job:b' || left(set_config('jobledger.recorded_at', %s, true), 0), 1, topic, state "
            "FROM ledger.stored_events",
            (told,),
        )

        assert all(before <= row["recorded_at"] <= datetime.now(UTC) for row in rows(connection))


@pytest.mark.parametrize("gap", GAPS)
def test_no_statement_leaves_a_gap(superuser: str, ledger: Ledger, gap: str) -> None:
    """Positions that a statement uses up and does not fill take all of it back, rows that it inserts on the way too."""
    ledger.plan("T", job="a")
    with as_role(superuser, "jobledger_writer") as connection:
        connection.execute(
            f"""CREATE FUNCTION pg_temp.inside() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO ledger.stored_events ({COLUMNS}) VALUES ('job:c', 1, '{STRAY}), ('job:a', 1, '{STRAY})
            ON CONFLICT DO NOTHING; RETURN ''; END $$"""
        )
        with pytest.raises(psycopg.DatabaseError) as refused:
            connection.execute(gap)
        assert refused.value.sqlstate == "JL002"
        assert len(rows(connection)) == 1

    assert ledger.plan("T", job="d").position == 2


def test_a_copy_that_leaves_lines_out_is_refused(superuser: str, ledger: Ledger) -> None:
    """COPY uses up a position for each line, whatever its WHERE says."""
    ledger.plan("T", job="a")
    question = f"COPY ledger.stored_events ({COLUMNS}) FROM STDIN WHERE originator_id <> 'job:b'"
    lines = "".join(f'job:{name}\t1\tjob.planned.v1\t{{"id": "s"}}\n' for name in "bc")
    with as_role(superuser, "jobledger_writer") as connection:
        with (
            pytest.raises(psycopg.DatabaseError, match="without a gap"),
            connection.cursor() as cursor,
            cursor.copy(question) as copy,
        ):
            copy.write(lines)
        assert len(rows(connection)) == 1


def test_an_insert_within_an_insert_comes_in_order(superuser: str, ledger: Ledger) -> None:
    """What an expression inserts while its own statement goes on has the positions between that one's, and no gap."""
    with as_role(superuser, "jobledger_writer") as connection:
        connection.execute(
            f"""CREATE FUNCTION pg_temp.inside() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO ledger.stored_events ({COLUMNS}) VALUES ('job:c', 1, '{STRAY}); RETURN ''; END $$"""
        )
        connection.execute(
            f"INSERT INTO ledger.stored_events ({COLUMNS}) SELECT 'job:b' || pg_temp.inside(), 1, '{STRAY}"
        )
        found = rows(connection)
    assert [row["notification_id"] for row in found] == [1, 2]
    assert found[0]["recorded_at"] <= found[1]["recorded_at"]
    assert ledger.plan("T", job="d").position == 3


def test_an_append_that_is_rolled_back_leaves_no_gap(superuser: str, ledger: Ledger) -> None:
    """The next append gets the positions that were not used."""
    ledger.plan("T", job="a")
    with as_role(superuser, "jobledger_writer") as connection, connection.transaction(force_rollback=True):
        stray(connection, "job:b")

    assert ledger.plan("T", job="c").position == 2


def _recorded(superuser: str, last: str) -> list[datetime]:
    """When two events were recorded, the first of them at a time that an owner of the table gave it."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER ALL")
        connection.execute(f"UPDATE ledger.stored_events SET recorded_at = {last}")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE TRIGGER ALL")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER place_append")
        stray(connection, "job:b")
        return [row["recorded_at"] for row in rows(connection)]


def test_time_never_goes_back_with_position(superuser: str, ledger: Ledger) -> None:
    """A clock that went back is waited for."""
    ledger.plan("T", job="a")

    first, second = _recorded(superuser, "now() + interval '1 hour'")

    assert second == first > datetime.now(UTC)


@pytest.mark.parametrize("last", ["'9998-01-01Z'", "now() + interval '3 days'"])
def test_a_time_that_no_clock_shows_is_not_waited_for(superuser: str, ledger: Ledger, last: str) -> None:
    """After a time that is too far ahead, times go by the clock again."""
    ledger.plan("T", job="a")

    assert _recorded(superuser, last)[1] <= datetime.now(UTC)


def test_an_infinite_time_ends_nothing(superuser: str, ledger: Ledger) -> None:
    """Nor does one that is not even a time."""
    ledger.plan("T", job="a")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER refuse_change")
        connection.execute("UPDATE ledger.stored_events SET recorded_at = 'infinity'")
        connection.execute("ALTER TABLE ledger.stored_events ENABLE ALWAYS TRIGGER refuse_change")

    assert ledger.plan("T", job="b").position == 2
    with psycopg.connect(superuser) as connection:
        question = "SELECT recorded_at <= clock_timestamp() FROM ledger.stored_events WHERE notification_id = 2"
        assert connection.execute(question).fetchone() == (True,)
