from typing import Any

import pytest

from ledger.domain.progress import advance, percent, shown


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (None, {"percent": 10}, {"percent": 10}),
        ({"percent": 10}, {"done": 3, "total": 4}, {"done": 3, "total": 4}),
        ({"done": 3, "total": 4}, {"percent": 80}, {"total": 4, "percent": 80}),
        ({"done": 3, "unit": "GiB"}, {"message": "more"}, {"done": 3, "unit": "GiB", "message": "more"}),
        ({"percent": 10}, {"percent": 20, "done": 2}, {"percent": 20, "done": 2}),
    ],
)
def test_the_measure_told_last_stays(
    before: dict[str, Any] | None, said: dict[str, Any], after: dict[str, Any]
) -> None:
    assert advance(before, said) == after


@pytest.mark.parametrize(
    ("progress", "found"),
    [
        (None, None),
        ({"percent": 33}, 33.0),
        ({"done": 1, "total": 3}, 33.33),
        ({"done": 5, "total": 4}, 100.0),
        ({"done": 5}, None),
        ({"done": 0, "total": 0}, None),
    ],
)
def test_per_cent_is_said_or_follows_from_units(progress: dict[str, Any] | None, found: float | None) -> None:
    assert percent(progress) == found


def test_it_is_shown_under_every_name() -> None:
    assert shown(None) is None
    assert shown({"done": 1, "total": 2}) == {"percent": 50.0, "done": 1, "total": 2, "unit": None, "message": None}
    assert (shown({"percent": 7}) or {})["percent"] == 7
