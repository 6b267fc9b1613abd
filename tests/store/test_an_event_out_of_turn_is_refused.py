from uuid import uuid4

import psycopg
import pytest

from ledger.application import Ledger
from ledger.domain.events import FACTS_BY_TOPIC
from tests.store.controls import INSERT, as_role, rows

SAID = b'{"id": "s", "at": "2026-01-02T03:04:05Z", "type": "T"}'
PLANNED, STARTED = "job.planned.v1", "owner.started.v1"
REFUSED = {
    "a version that does not begin with 1": (("job:b", 2, PLANNED, SAID), "Versions"),
    "a version that leaves one out": (("job:a", 3, PLANNED, SAID), "Versions"),
    "no version at all": (("job:b", 0, PLANNED, SAID), "Versions"),
    "a version below": (("job:b", -1, PLANNED, SAID), "Versions"),
    "a stream of nothing": (("b", 1, PLANNED, SAID), "stream"),
    "a stream without a name": (("job:", 1, PLANNED, SAID), "stream"),
    "a stream with too long a name": (("job:" + "x" * 201, 1, PLANNED, SAID), "stream"),
    "an owner with too long a name": (("owner:" + "x" * 257, 1, STARTED, SAID), "stream"),
    "a stream of no ledger": (("ledger:x", 1, "ledger.break_accepted.v1", SAID), "stream"),
    "what the ledger says of itself": ((f"ledger:{uuid4()}", 1, "ledger.break_accepted.v1", SAID), "may seal"),
    "a topic of nobody": (("job:b", 1, "os.system", SAID), "topic"),
    "a topic that nobody knows": (("job:b", 1, "job.planned.v99", SAID), "topic"),
    "a topic of an owner": (("job:b", 1, STARTED, SAID), "topic"),
    "a topic of a job": (("owner:b", 1, PLANNED, SAID), "topic"),
    "a list": (("job:b", 1, PLANNED, b"[]"), "JSON"),
    "a number": (("job:b", 1, PLANNED, b"1"), "JSON"),
    "no JSON": (("job:b", 1, PLANNED, b"not json"), "json"),
    "no text": (("job:b", 1, PLANNED, b"\xff\xfe"), "UTF8"),
    "nothing": (("job:b", 1, PLANNED, b""), "json"),
    "too much": (("job:b", 1, PLANNED, b'{"x":"' + b"y" * (128 << 20) + b'"}'), "128 MiB"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_event_in_its_turn_is_refused(superuser: str, ledger: Ledger, what: str) -> None:
    """The database takes from a writer what is an event in its turn, and nothing else."""
    ledger.plan("T", job="a")
    row, why = REFUSED[what]
    with as_role(superuser, "jobledger_writer") as connection:
        with pytest.raises(psycopg.DatabaseError, match=why):
            connection.execute(INSERT, row)
        assert len(rows(connection)) == 1
    assert ledger.start("a").position == 2


def test_one_that_is_out_of_turn_among_many_is_named(superuser: str, ledger: Ledger) -> None:
    """A statement of many events is looked at as a whole, and names the first that is wrong."""
    ledger.plan("T", job="a")
    question = (
        "INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state) "
        "SELECT 'job:b', version, 'job.planned.v1', '{}' FROM unnest(ARRAY[1, 2, 3, 5, 6, 8]) AS version"
    )
    with (
        as_role(superuser, "jobledger_writer") as connection,
        pytest.raises(psycopg.DatabaseError, match="that at position 5 does not"),
    ):
        connection.execute(question)


def test_the_table_of_topics_is_that_of_the_release(superuser: str) -> None:
    """A topic that an event of this release has is one that the database takes."""
    with psycopg.connect(superuser) as connection:
        found = connection.execute("SELECT topic FROM ledger.topics").fetchall()
    assert {topic for (topic,) in found} == set(FACTS_BY_TOPIC)
