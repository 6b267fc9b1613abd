from datetime import UTC, datetime

import pytest

from ledger.domain.events import FACTS_BY_TOPIC, Damaged, Event


def test_a_fact_stands_in_streams_of_the_kind_that_its_topic_begins_with() -> None:
    assert {topic: fact.kind for topic, fact in FACTS_BY_TOPIC.items()} == {
        topic: topic.partition(".")[0] for topic in FACTS_BY_TOPIC
    }
    assert {fact.kind for fact in FACTS_BY_TOPIC.values()} == {"job", "owner", "ledger"}


@pytest.mark.parametrize(("stream", "of_job"), [("job:j", True), ("owner:job:j", False), ("job", False), ("x", False)])
def test_a_row_that_is_no_event_stands_where_it_stands(stream: str, of_job: bool) -> None:
    fact = Damaged(stream=stream, row_topic="job.planned.v1", row="", why="it is none")
    event = Event("", stream.partition(":")[2], 1, datetime(2026, 1, 1, tzinfo=UTC), fact)

    assert (event.stream, event.of_job) == (stream, of_job)
