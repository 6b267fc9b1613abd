import json

import pytest

from ledger.application import Ledger
from tests.service.cli.conftest import Run, on, plan


@pytest.fixture
def held(ledger: Ledger) -> Ledger:
    """A disk that two trees share."""
    for job in ("mine", "theirs"):
        ledger.record(plan(job, entities=[on("disk/d-1", "shared")]))
    return ledger


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--would", "exclusive"), 0, ["mine", "theirs"]),
        (("--would", "shared"), 1, []),
        (("--besides", "mine"), 0, ["theirs"]),
        (("--besides", "mine", "--would", "exclusive"), 0, ["theirs"]),
    ],
)
def test_busy_narrows_to_who_is_in_the_way(
    run: Run, held: Ledger, words: tuple[str, ...], code: int, told: list[str]
) -> None:
    done = run("busy", "disk/d-1", *words, "-o", "json")
    answer = json.loads(done.out)

    assert done.code == code
    assert [job["job"] for job in answer["jobs"]] == told
    assert (answer["busy"], answer["count"]) == (bool(told), len(told))
    names = {"entity", "busy", "count", "jobs", "position"}
    assert set(answer) == names | ({"would"} if "--would" in words else set())


@pytest.mark.parametrize(
    ("words", "code"), [(("--would", "none"), 2), (("--would", "x"), 2), (("--besides", "never"), 4)]
)
def test_what_cannot_be_asked_gets_one_sentence(run: Run, held: Ledger, words: tuple[str, ...], code: int) -> None:
    done = run("busy", "disk/d-1", *words)

    assert done.code == code
    assert done.err.count("\n") == 1
    assert not done.out


def test_a_person_reads_what_would_be(run: Run, held: Ledger) -> None:
    assert run("busy", "disk/d-1", "--would", "shared").out == "disk/d-1 would be free.\n"
    assert run("busy", "disk/d-1", "--would", "exclusive").out.startswith("disk/d-1 would meet 2:\n")
