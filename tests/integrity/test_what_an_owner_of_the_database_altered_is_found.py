"""Each way in which somebody who owns the database, and not the key, may alter history: found, named, and placed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from ledger.errors import NotSealed, SealRefused
from ledger.integrity.checkpoint import Checkpoint, origin_of
from ledger.integrity.findings import Report
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.leaf import sum_parts
from ledger.integrity.note import SigningKey, sign_note
from ledger.integrity.sealer import Sealer
from ledger.integrity.tiles import Growth
from ledger.integrity.verify import Verifier
from ledger.store.seals import SealTable
from tests.integrity.conftest import record

Owner = psycopg.Connection[dict[str, Any]]
EVENTS = 600
EVENTS_TABLE = "ledger.stored_events"
REWORDED = """state = convert_to(replace(convert_from(state, 'UTF8'), '"T"', '"U"'), 'UTF8')"""  # another event


def _swap(owner: Owner, column: str) -> None:
    """Exchange what positions 300 and 400 have in a column."""
    one, two = (
        owner.execute(f"SELECT {column} AS had FROM {EVENTS_TABLE} WHERE notification_id = %s", (at,)).fetchall()[0][
            "had"
        ]
        for at in (300, 400)
    )
    owner.execute(f"ALTER TABLE {EVENTS_TABLE} DROP CONSTRAINT stored_events_pkey")
    for at, value in ((300, two), (400, one)):
        owner.execute(f"UPDATE {EVENTS_TABLE} SET {column} = %s WHERE notification_id = %s", (value, at))


def _swap_places(owner: Owner) -> None:
    owner.execute("DROP INDEX ledger.stored_events_notification_id_idx")
    owner.execute(f"ALTER TABLE {EVENTS_TABLE} ALTER notification_id DROP IDENTITY")
    owner.execute(
        f"UPDATE {EVENTS_TABLE} SET notification_id = 700 - notification_id WHERE notification_id IN (300, 400)"
    )


def _delete_and_close_up(owner: Owner) -> None:
    owner.execute("DROP INDEX ledger.stored_events_notification_id_idx")
    owner.execute(f"ALTER TABLE {EVENTS_TABLE} ALTER notification_id DROP IDENTITY")
    owner.execute(f"DELETE FROM {EVENTS_TABLE} WHERE notification_id = 300")
    owner.execute(f"UPDATE {EVENTS_TABLE} SET notification_id = notification_id - 1 WHERE notification_id > 300")


def _refill(owner: Owner) -> None:
    owner.execute(f"CREATE TABLE public.kept AS SELECT * FROM {EVENTS_TABLE}")
    owner.execute(f"TRUNCATE {EVENTS_TABLE}")
    owner.execute(
        f"INSERT INTO {EVENTS_TABLE} (originator_id, originator_version, topic, state) "
        "SELECT originator_id, originator_version, topic, state FROM public.kept ORDER BY notification_id"
    )


def _copy_of_one(owner: Owner) -> None:
    owner.execute("DROP INDEX ledger.stored_events_notification_id_idx")
    owner.execute(
        f"INSERT INTO {EVENTS_TABLE} OVERRIDING SYSTEM VALUE SELECT originator_id || 'x', originator_version, topic, "
        f"state, notification_id, recorded_at FROM {EVENTS_TABLE} WHERE notification_id = 300"
    )


def _say(*statements: str) -> Callable[[Owner], object]:
    return lambda owner: [owner.execute(statement) for statement in statements]


def _change(what: str, at: int = 300) -> Callable[[Owner], object]:
    return _say(f"UPDATE {EVENTS_TABLE} SET {what} WHERE notification_id = {at}")


@dataclass(frozen=True)
class Tamper:
    name: str
    do: Callable[[Owner], object]
    kind: str
    position: int | None
    words: str


TAMPERS = [
    Tamper("a byte", _change("state = set_byte(state, 9, 33)"), "changed", 300, "its state differs"),
    Tamper("a time", _change("recorded_at = recorded_at - interval '1 us'"), "changed", 300, "its recorded_at differs"),
    Tamper("the first", _change("state = '{}'", 1), "changed", 1, "its state differs"),
    Tamper("the last of a tile", _change("state = '{}'", 512), "changed", 512, "its state differs"),
    Tamper("the last", _change("topic = 'job.failed.v1'", EVENTS), "changed", EVENTS,
           "its stream, version or topic differs"),
    Tamper("a broken row", lambda owner: [owner.execute(f"ALTER TABLE {EVENTS_TABLE} ALTER state DROP NOT NULL"),
           _change("state = NULL")(owner)], "changed", 300, "a part of it is gone"),
    Tamper("the order", _swap_places, "moved", 300, "sealed at position 400"),
    Tamper("two jobs' events", lambda owner: _swap(owner, "originator_id"), "changed", 300,
           "as sealed at position 400"),
    Tamper("two times", lambda owner: _swap(owner, "recorded_at"), "changed", 300, "recorded_at"),
    Tamper("what two say", lambda owner: _swap(owner, "state"), "changed", 300, "state (as sealed at position 400)"),
    Tamper("without the last", _say(f"DELETE FROM {EVENTS_TABLE} WHERE notification_id = {EVENTS}"), "cut_off", EVENTS,
           "ends at position 599, and 600 events were sealed"),
    Tamper("without a middle one", _say(f"DELETE FROM {EVENTS_TABLE} WHERE notification_id = 300"), "missing", 300,
           "No event is at position 300"),
    Tamper("closed up over a middle one", _delete_and_close_up, "moved", 300, "sealed at position 301"),
    Tamper("one put in beside another", _copy_of_one, "twice", 300, "More than one"),
    Tamper("truncated", _say(f"TRUNCATE {EVENTS_TABLE}"), "cut_off", 1, "ends at position 0"),
    Tamper("truncated and refilled", _refill, "changed", 1, "its recorded_at differs"),
    Tamper("a leaf of the tree", _say("UPDATE ledger.tiles SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) "
           "WHERE level = 0 AND number = 1"), "tree", 257, "whose event is as it was sealed"),
    Tamper("an upper tile", _say("UPDATE ledger.tiles SET hashes = set_byte(hashes, 0, get_byte(hashes, 0) # 1) "
           "WHERE level = 1"), "tree", None, "tile 1/0 is not that of its leaves"),
    Tamper("a tile that is gone", _say("DELETE FROM ledger.tiles WHERE level = 0 AND number = 2"), "tree", 513,
           "another hash"),
    Tamper("a checkpoint", _say("UPDATE ledger.checkpoints SET note = replace(note, E'\\n600\\n', E'\\n599\\n')"),
           "checkpoint", None, "must be over this text"),
    Tamper("what is no checkpoint", _say("UPDATE ledger.checkpoints SET note = 'x'"), "checkpoint", None,
           "not as it was signed"),
    Tamper("without checkpoints", _say("DELETE FROM ledger.checkpoints"), "went_back", 1, "kept outside the database"),
    Tamper("a checkpoint filed elsewhere", _say("UPDATE ledger.checkpoints SET size = 599"), "checkpoint", None, "599"),
    Tamper("a rotation", _say("UPDATE ledger.seal_keys SET rotation = 'x'"), "rotation", None, "not as it must be"),
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERS, ids=lambda tamper: tamper.name)
def test_what_an_owner_altered_is_found(
    tamper: Tamper, conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner
) -> None:
    record(conninfo, 1, 350)
    record(conninfo, 351, EVENTS)
    sealer.seal()
    assert verifier().verify().ok
    tamper.do(owner)

    report = verifier().verify()

    assert not report.ok
    found = [(str(found.kind), found.position) for found in report.findings]
    assert (tamper.kind, tamper.position) in found
    assert report.first_bad == tamper.position
    assert any(tamper.words in found.sentence for found in report.findings), report.findings


def _restore(owner: Owner) -> None:
    """Bring the tables back to what they were over 400 events, as a backup of that day would."""
    owner.execute(f"DELETE FROM {EVENTS_TABLE} WHERE notification_id > 400")
    owner.execute("DELETE FROM ledger.checkpoints WHERE size > 400")
    owner.execute("DELETE FROM ledger.tiles WHERE level = 0 AND number > 1")
    owner.execute("UPDATE ledger.tiles SET hashes = substr(hashes, 1, 144 * 32), sums = substr(sums, 1, 144 * 12) "
                  "WHERE level = 0 AND number = 1")  # fmt: skip
    owner.execute("UPDATE ledger.tiles SET hashes = substr(hashes, 1, 32) WHERE level = 1")


def test_an_old_backup_is_found_by_the_checkpoint_beside_the_key(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner, room: SealTable
) -> None:
    record(conninfo, 1, 400)
    sealer.seal()
    record(conninfo, 401, EVENTS)
    sealer.seal()
    _restore(owner)

    report = verifier().verify()

    assert [(str(found.kind), found.position) for found in report.findings] == [("went_back", 401)]
    alone = Verifier(room, verifier()._trust)
    assert alone.verify().ok, "the database alone cannot tell"


def _forge(room: SealTable, owner: Owner) -> SigningKey:
    """Rewrite everything, and seal it again with a key of one's own."""
    owner.execute(f"UPDATE {EVENTS_TABLE} SET state = replace(convert_from(state, 'UTF8'), '2026', '2025')::bytea")
    for table in ("tiles", "checkpoints", "seal_keys"):
        owner.execute(f"DELETE FROM ledger.{table}")
    with room.sealing() as seals:
        key = SigningKey.create(origin_of(seals.ledger()))
        growth = Growth(seals, 0)
        leaves = [leaf or b"" for page in seals.leaves(0, seals.head()) for _, leaf in page]
        seals.grow(list(growth.append([leaf_hash(leaf) for leaf in leaves], [sum_parts(leaf) for leaf in leaves])))
        forged = Checkpoint(key.name, growth.size, growth.root())
        seals.introduce(str(key.verifier), None)
        seals.sign(growth.size, str(sign_note(forged.text, [key])))
    return key


def test_a_rewriting_without_the_key_is_found_by_the_key(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner, room: SealTable
) -> None:
    record(conninfo, 1, EVENTS)
    sealer.seal()
    _forge(room, owner)

    kinds = {str(found.kind): found for found in verifier().verify().findings}
    assert set(kinds) >= {"unknown_key", "rewritten"}
    assert kinds["rewritten"].position == 1
    pinned = Verifier(room, verifier()._trust).verify()
    assert [str(found.kind) for found in pinned.findings] == ["unknown_key"]


def test_a_rewriting_with_the_key_is_found_only_by_a_checkpoint_that_was_kept(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner, key_file: KeyFile
) -> None:
    record(conninfo, 1, EVENTS)
    kept = sealer.seal().signed
    for table in ("tiles", "checkpoints"):
        owner.execute(f"DELETE FROM ledger.{table}")
    _change(REWORDED, 450)(owner)
    key_file.path.with_name("seal.key.checkpoint").unlink()
    sealer.seal()

    assert verifier().verify().ok
    found = verifier().verify(against=kept)
    assert [(str(finding.kind), finding.position) for finding in found.findings] == [("rewritten", 1)]


def test_rows_and_tree_altered_together_are_placed_between_two_checkpoints(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner, room: SealTable
) -> None:
    for end in (200, 400, EVENTS):
        record(conninfo, end - 199, end)
        sealer.seal()
    _change(REWORDED)(owner)
    owner.execute("DELETE FROM ledger.tiles")
    with room.sealing() as seals:
        growth = Growth(seals, 0)
        leaves = [leaf or b"" for page in seals.leaves(0, EVENTS) for _, leaf in page]
        seals.grow(list(growth.append([leaf_hash(leaf) for leaf in leaves], [sum_parts(leaf) for leaf in leaves])))

    report = verifier().verify()

    assert [(str(found.kind), found.position) for found in report.findings] == [("rewritten", 201)]
    assert "201 to 400" in report.findings[0].sentence


def test_a_gap_behind_the_last_seal_is_found_too(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner
) -> None:
    record(conninfo, 1, 10)
    sealer.seal()
    record(conninfo, 11, 20)
    assert verifier().verify().unsealed == 10
    owner.execute(f"DELETE FROM {EVENTS_TABLE} WHERE notification_id = 15")

    report = verifier().verify()

    assert [(str(found.kind), found.position) for found in report.findings] == [("missing", 15)]


def test_a_range_is_verified_by_itself(
    conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier], owner: Owner
) -> None:
    record(conninfo, 1, EVENTS)
    sealer.seal()
    _change("state = '{}'")(owner)

    def verify(first: int, last: int) -> Report:
        return verifier().verify(first, last)

    assert verify(1, 299).ok
    assert verify(301, EVENTS).ok
    assert verify(301, EVENTS).checked == (301, EVENTS)
    assert verify(257, 310).first_bad == 300
    assert verify(300, 300).first_bad == 300
    with pytest.raises(NotSealed, match="Position 601"):
        verify(EVENTS + 1, EVENTS + 1)


def test_a_sealer_signs_nothing_over_what_was_altered(conninfo: str, sealer: Sealer, owner: Owner) -> None:
    record(conninfo, 1, 400)
    sealer.seal()
    record(conninfo, 401, EVENTS)
    sealer.seal()
    _restore(owner)
    with pytest.raises(SealRefused, match="restored"):
        sealer.seal()
    record(conninfo, 401, 700)
    with pytest.raises(SealRefused, match="restored"):
        sealer.seal()
