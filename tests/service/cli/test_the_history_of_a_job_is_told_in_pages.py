"""`history JOB` prints a page and says how to go on; as JSON lines it prints everything."""

import json

import pytest

from ledger.application import Ledger
from tests.service.cli.conftest import Run
from tests.store.long import make_long


@pytest.fixture(autouse=True)
def told(ledger: Ledger) -> None:
    make_long(ledger, "long", 120)


def test_a_table_has_fifty_events_and_says_how_to_go_on(run: Run) -> None:
    """Until there are no more."""
    first = run("history", "long")
    assert len(first.out.splitlines()) == 2 + 50
    assert first.err == "There are more: --after 50 goes on, -o jsonl prints all.\n"
    assert run("history", "long", "--after", "50").err == "There are more: --after 100 goes on, -o jsonl prints all.\n"
    last = run("history", "long", "--after", "100")
    assert (len(last.out.splitlines()), last.err) == (2 + 20, "")
    assert run("history", "long", "--after", "20", "--limit", "100").err == ""
    assert run("history", "long", "--after", "20", "--limit", "99").err.startswith("There are more: --after 119")


def test_json_says_where_it_ended(run: Run) -> None:
    """With null where nothing is left."""
    first = json.loads(run("history", "long", "-o", "json").out)
    assert ([event["position"] for event in first["events"]], first["after"]) == ([*range(1, 51)], 50)
    last = json.loads(run("history", "long", "-o", "json", "--after", "70").out)
    assert ([event["position"] for event in last["events"]], last["after"]) == ([*range(71, 121)], None)


def test_json_lines_are_all_of_them(run: Run) -> None:
    """Or as many as are asked for, also as of a position."""
    for words, positions in (
        ((), range(1, 121)),
        (("--after", "7"), range(8, 121)),
        (("--after", "7", "--limit", "60"), range(8, 68)),
        (("--as-of", "90"), range(1, 91)),
        (("--as-of", "90", "--after", "60"), range(61, 91)),
    ):
        lines = run("history", "long", "-o", "jsonl", *words).out.splitlines()
        assert [json.loads(line)["position"] for line in lines] == [*positions]
    missing = run("history", "nobody", "-o", "jsonl")
    assert (missing.code, missing.out) == (4, "")
