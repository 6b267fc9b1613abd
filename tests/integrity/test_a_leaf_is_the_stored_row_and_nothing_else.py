from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import Ledger
from ledger.errors import MalformedLeaf
from ledger.integrity.leaf import StoredRow, differing_parts, microseconds, read_leaf, sum_parts, write_leaf
from ledger.store.seals import SealTable
from tests.store.controls import rows

integers = st.integers(-(1 << 63), (1 << 63) - 1)
texts = st.text(max_size=30)
stored_rows = st.builds(StoredRow, integers, integers, integers, texts, texts, st.binary(max_size=60))


def test_the_form_is_as_it_is_written_down() -> None:
    row = StoredRow(1, 0, 2, "job:ä", "t", b"{}")

    assert write_leaf(row) == (
        b"jobledger event v1\n" + bytes(7) + b"\x01" + bytes(8) + bytes(7) + b"\x02"
        b"\0\0\0\x06job:\xc3\xa4\0\0\0\x01t\0\0\0\x02{}"
    )  # fmt: skip
    assert row.moment == datetime(2000, 1, 1, tzinfo=UTC)
    assert microseconds(datetime(2000, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005


@given(stored_rows, stored_rows)
def test_two_rows_have_one_form_only_where_they_are_the_same(one: StoredRow, other: StoredRow) -> None:
    assert read_leaf(write_leaf(one)) == one
    assert (write_leaf(one) == write_leaf(other)) == (one == other)


@given(stored_rows, st.data())
def test_what_is_no_form_is_refused(row: StoredRow, data: st.DataObject) -> None:
    leaf = write_leaf(row)
    end = data.draw(st.integers(0, len(leaf) - 1))

    for damaged in (leaf[:end], leaf + b"\0", b"J" + leaf[1:]):
        with pytest.raises(MalformedLeaf):
            read_leaf(damaged)


@given(stored_rows)
def test_the_sums_tell_which_part_differs(row: StoredRow) -> None:
    def differing(other: StoredRow) -> tuple[str, ...]:
        return differing_parts(sum_parts(write_leaf(other)), sum_parts(write_leaf(row)))

    assert differing(row._replace(position=row.position ^ 1)) == ()
    assert differing(row._replace(version=row.version ^ 1)) == ("stream, version or topic",)
    assert differing(row._replace(topic=row.topic + "x")) == ("stream, version or topic",)
    assert differing(row._replace(recorded_at=row.recorded_at ^ 1)) == ("recorded_at",)
    assert differing(row._replace(state=row.state + b"x")) == ("state",)


def test_postgresql_makes_the_same_bytes(ledger: Ledger, room: SealTable) -> None:
    ledger.plan("T", job="ä☃", reason="tab\tand 'quote'")
    ledger.succeed("ä☃", {"bytes": 1})
    ledger.record({"event": "owner_started", "owner": "engine", "epoch": 1})

    with room.reading() as seals:
        found = [leaf for page in seals.leaves(0, 3) for _, leaf in page]
        stored = rows(seals._connection)
    assert found == [
        write_leaf(
            StoredRow(
                row["notification_id"],
                microseconds(row["recorded_at"]),
                row["originator_version"],
                row["originator_id"],
                row["topic"],
                bytes(row["state"]),
            )
        )
        for row in stored
    ]
    assert len(found) == 3
