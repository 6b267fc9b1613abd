"""The sealer holds rows against what the ledger promises; what breaks it is named, and nothing behind it is signed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import Contradiction, IntegrityFailure, NothingBroken, PromiseBroken, SchemaTooNew
from ledger.integrity import promises
from ledger.integrity.accepting import acceptance
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.verify import Verifier
from ledger.service.assembly import assemble
from ledger.store.seals import SealTable
from tests.integrity.conftest import record, room_of
from tests.integrity.wounds import PLANNED, STARTED, owner_of, put, set_time

Broken = tuple[tuple[str, int, str, bytes], str]
WHO = {"actor": "ann", "reason": "seen"}
BROKEN: dict[str, Broken] = {
    "junk": (("job:a", 3, "job.succeeded.v1", b"\xff junk"), "bytes"),
    "another fact": (("job:a", 3, "job.planned.v1", STARTED), "bytes"),
    "a foreign topic": (("job:a", 3, "os.system", b"{}"), "topic"),
    "a version too high": (("job:a", 77, "job.succeeded.v1", STARTED), "version"),
    "a version of a stream that is not": (("job:z", 2, "job.started.v1", STARTED), "version"),
    "no version": (("job:z", 0, "job.planned.v1", PLANNED), "version"),
    "no stream": (("a", 1, "job.planned.v1", PLANNED), "stream"),
    "a stream of another kind": (("owner:o", 1, "job.planned.v1", PLANNED), "stream"),
    "a name too long": (("job:" + "n" * 201, 1, "job.planned.v1", PLANNED), "stream"),
    "no step of the table": (("job:a", 3, "job.submitted.v1",
                              b'{"id":"x","at":"2026-01-02T03:04:05Z","executor":"e","token":"t"}'), "table"),
    "a second plan": (("job:a", 3, "job.planned.v1", PLANNED), "table"),
    "no beginning": (("job:z", 1, "job.started.v1", STARTED), "table"),
}  # fmt: skip


@pytest.fixture
def begun(superuser: str) -> Iterator[Ledger]:
    """A job that runs, and one beside it, told by somebody who may write and seal."""
    with assemble(superuser) as ledger:
        ledger.plan("T", job="a")
        ledger.start("a", executor="e", external_id="1")
        ledger.plan("T", job="beside")
        yield ledger


def test_who_may_only_write_accepts_nothing(superuser: str, begun: Ledger, ledger: Ledger) -> None:
    """Else whoever breaks a promise could say that it was looked at; and nobody spoils that stream for others."""
    with owner_of(superuser) as admin:
        put(admin, "job:a", 3, "job.planned.v1", b"{}")
    said = acceptance(room_of(superuser), 4) | WHO

    with pytest.raises(IntegrityFailure, match="whoever may seal"):
        ledger.record(said)
    assert begun.record(said).disposition == "recorded"


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_each_break_is_named_and_accepted_once(
    superuser: str, begun: Ledger, sealer: Sealer, verifier: Callable[[], Verifier], broken: Broken
) -> None:
    """All before it is signed; once somebody puts on record that it was looked at, sealing goes on past it."""
    (row, promise), room = broken, room_of(superuser)
    with owner_of(superuser) as admin:
        put(admin, *row)
    begun.start("beside", executor="e", external_id="2")

    for _ in range(2):
        with pytest.raises(PromiseBroken, match=r"^Position 4 of .* --accept 4 --reason") as named:
            sealer.seal()
        assert named.value.facts == {"position": 4, "stream": row[0], "promise": promise}
    with room.reading() as seals:
        assert seals.sealed() == 3
    found = [(str(finding.kind), finding.position) for finding in verifier().verify().findings]
    assert found == [("promise", 4)]

    said = acceptance(room, 4)
    assert (said["break_at"], said["promise"]) == (4, promise)
    receipt = begun.record(said | WHO)
    again = begun.record(acceptance(room, 4) | {"reason": "seen again"})
    assert (receipt.disposition, again.disposition, again.position) == ("recorded", "unchanged", receipt.position)
    assert sealer.seal().signed.size == receipt.position
    report = verifier().verify()
    assert report.ok
    assert [sentence for sentence in report.known if "position 4 " in sentence and "accepted" in sentence]
    begun.succeed("beside")
    assert sealer.seal().signed.size == receipt.position + 1


def test_what_is_sound_needs_nobody(begun: Ledger, sealer: Sealer, room: SealTable) -> None:
    """A position that breaks nothing, or has no event, cannot be accepted."""
    assert sealer.seal().signed.size == 3
    for position in (1, 3, 4, 1 << 62):
        with pytest.raises(NothingBroken):
            acceptance(room, position)


def test_a_break_is_not_accepted_before_it_is_there(superuser: str, begun: Ledger, sealer: Sealer) -> None:
    """Who says beforehand that a break was looked at has looked at nothing."""
    with sealer._room.sealing() as seals:
        ledger = seals.ledger()
    begun.record({"event": "break_accepted", "ledger": ledger, "break_at": 5, "promise": "bytes", "id": "1"})
    with owner_of(superuser) as admin:
        put(admin, "job:b", 1, "job.planned.v1", b"junk")
    with pytest.raises(PromiseBroken, match="Position 5"):
        sealer.seal()
    with pytest.raises(Contradiction):
        begun.record({"event": "break_accepted", "ledger": ledger, "break_at": 6, "promise": "bytes", "id": "1"})


def test_a_break_of_another_ledger_is_none_of_this_one(superuser: str, begun: Ledger, sealer: Sealer) -> None:
    """What an import brings of the ledger that it comes from is kept, and accepts nothing here."""
    with owner_of(superuser) as admin:
        put(admin, "job:b", 1, "job.planned.v1", b"junk")
    other = "00000000-0000-0000-0000-000000000000"
    begun.record({"event": "break_accepted", "ledger": other, "break_at": 4, "promise": "bytes"})
    with pytest.raises(PromiseBroken, match="Position 4"):
        sealer.seal()


def test_after_an_accepted_row_a_stream_is_not_judged_by_the_table(
    superuser: str, begun: Ledger, sealer: Sealer, room: SealTable
) -> None:
    """What would have to follow is not known any more; what can be read goes on, also for a sealer that starts anew."""
    with owner_of(superuser) as admin:
        put(admin, "job:a", 3, "job.succeeded.v1", b"junk")
        begun.record(acceptance(room, 4) | WHO)
        put(admin, "job:a", 4, "job.progressed.v1", b'{"id":"x","at":"2026-01-02T03:04:05Z","percent":1}')
        assert sealer.seal().signed.size == 6
        put(admin, "job:a", 5, "job.succeeded.v1", STARTED)
        assert sealer.seal().signed.size == 7
        put(admin, "job:a", 6, "job.succeeded.v1", b"more junk")
    with pytest.raises(PromiseBroken, match="Position 8"):
        sealer.seal()


def test_a_newer_topic_waits_for_a_newer_sealer(superuser: str, begun: Ledger, sealer: Sealer) -> None:
    """In a rolling upgrade nothing that this release cannot judge is signed, and nothing is called broken."""
    with owner_of(superuser) as admin:
        admin.execute("INSERT INTO ledger.topics (topic) VALUES ('job.telephoned.v1')")
        put(admin, "job:a", 3, "job.telephoned.v1", b"{}")
    with pytest.raises(SchemaTooNew):
        sealer.seal()


def test_streams_that_are_not_kept_are_read_again(
    superuser: str, ledger: Ledger, room: SealTable, key_file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for three streams, and batches that cut them apart, the verdicts are the same."""
    monkeypatch.setattr(promises, "STREAMS_KEPT_MAX", 3)
    record(superuser, 1, 40)
    for n in range(1, 41):
        ledger.start(f"j{n}", executor="e", external_id=str(n))
    for n in range(40, 0, -1):
        ledger.succeed(f"j{n}")
    assert Sealer(room, key_file, batch_events=7).seal().signed.size == 120
    with owner_of(superuser) as admin:
        put(admin, "job:j20", 4, "job.started.v1", STARTED)
    with pytest.raises(PromiseBroken, match="Position 121"):
        Sealer(room, key_file).seal()


def test_what_was_sealed_before_it_was_checked_is_found(
    superuser: str, begun: Ledger, sealer: Sealer, verifier: Callable[[], Verifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older sealer signed junk: verify names it as what it is, not as altered, until somebody accepts it."""
    with owner_of(superuser) as admin:
        put(admin, "job:b", 1, "job.planned.v1", b"junk")
    with monkeypatch.context() as older:
        older.setattr(promises.Promises, "check", lambda *_: [])
        assert sealer.seal().signed.size == 4
    report = verifier().verify()
    assert [(str(found.kind), found.position) for found in report.findings] == [("promise", 4)]
    begun.record(acceptance(room_of(superuser), 4) | WHO)
    assert sealer.seal().signed.size == 5
    assert verifier().verify().ok


@pytest.mark.parametrize("expression", ["'infinity'", "now() + interval '3 days'", "'9998-01-01Z'"])
def test_a_time_ahead_of_the_clock_is_one_break(
    superuser: str, begun: Ledger, sealer: Sealer, verifier: Callable[[], Verifier], expression: str
) -> None:
    """It is named where it begins; times go by the clock again after it, and that is the same break."""
    room = room_of(superuser)
    with owner_of(superuser) as admin:
        set_time(admin, 2, expression)
        set_time(admin, 3, "(SELECT recorded_at FROM ledger.stored_events WHERE notification_id = 2)")
        admin.execute("ALTER TABLE ledger.stored_events DISABLE TRIGGER USER")
        for n in (4, 5):
            admin.execute(
                "INSERT INTO ledger.stored_events OVERRIDING SYSTEM VALUE "
                "VALUES (%s, 1, 'job.planned.v1', %s, %s, clock_timestamp())",
                (f"job:n{n}", PLANNED, n),
            )
    with pytest.raises(PromiseBroken, match=r"Position 2 .* ahead of the clock") as named:
        sealer.seal()
    assert named.value.facts["promise"] == "time"
    assert [found.position for found in verifier().verify().findings] == [2]

    said: dict[str, Any] = acceptance(room, 2)
    with owner_of(superuser) as admin:
        admin.execute("ALTER TABLE ledger.stored_events ENABLE TRIGGER USER")
    begun.record(said | WHO)
    assert sealer.seal().signed.size == 6
    assert verifier().verify().ok
    assert sealer.seal().events == 0


def test_a_break_stays_one_when_the_clock_has_passed_it(
    superuser: str,
    begun: Ledger,
    sealer: Sealer,
    verifier: Callable[[], Verifier],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was ahead when it was accepted is ahead of the rows behind it, and its end is no break of its own."""
    with owner_of(superuser) as admin:
        set_time(admin, 2, "now() + interval '3 hours'")
    begun.record(acceptance(room_of(superuser), 2) | WHO)
    assert sealer.seal().signed.size == 4

    monkeypatch.setattr(promises, "AHEAD_MAX", timedelta(hours=6))  # as if these hours had passed
    assert verifier().verify().ok
    begun.plan("T", job="later")
    assert sealer.seal().signed.size == 5


def test_what_was_accepted_of_a_row_is_not_all_that_it_may_break(
    superuser: str, begun: Ledger, sealer: Sealer, verifier: Callable[[], Verifier]
) -> None:
    """A row of 1999 that is junk too is looked at twice."""
    room = room_of(superuser)
    with owner_of(superuser) as admin:
        put(admin, "job:b", 1, "job.planned.v1", b"junk")
        set_time(admin, 4, "'1999-01-01Z'")
    begun.record(acceptance(room, 4) | WHO)
    with pytest.raises(PromiseBroken, match="Position 4") as named:
        sealer.seal()
    assert named.value.facts["promise"] == "bytes"
    begun.record(acceptance(room, 4) | WHO)
    assert begun.record(acceptance(room, 4) | WHO).disposition == "unchanged"
    assert sealer.seal().signed.size == 6
    assert verifier().verify().known == (
        "The event at position 4 breaks the promise of time and of bytes, which was accepted.",
    )


def test_the_end_of_a_break_may_come_later(superuser: str, begun: Ledger, sealer: Sealer, room: SealTable) -> None:
    """A sealer that took in the rows ahead of the clock knows, started anew, that they end."""
    with owner_of(superuser) as admin:
        set_time(admin, 3, "now() + interval '3 days'")
        begun.record(acceptance(room, 3) | WHO)
        assert sealer.seal().signed.size == 4
        begun.plan("T", job="later")
        set_time(admin, 5, "clock_timestamp()")
        assert sealer.seal().signed.size == 5
        begun.plan("T", job="last")
        set_time(admin, 6, "now() - interval '1 day'")
    with pytest.raises(PromiseBroken, match=r"Position 6 .* before that of the row before it"):
        sealer.seal()


def test_a_time_that_goes_back_is_one_break(superuser: str, begun: Ledger, sealer: Sealer, room: SealTable) -> None:
    """A row of 1999 is named; the one after it goes on as before."""
    with owner_of(superuser) as admin:
        set_time(admin, 2, "'1999-01-01Z'")
    with pytest.raises(PromiseBroken, match=r"Position 2 .* before that of the row before it"):
        sealer.seal()
    begun.record(acceptance(room, 2) | WHO)
    assert sealer.seal().signed.size == 4


@pytest.mark.parametrize("topic", ["ledger.break_accepted.v1", "job.planned.v1", "os.system"])
def test_a_bad_row_where_breaks_are_accepted_is_accepted_too(
    superuser: str, begun: Ledger, sealer: Sealer, topic: str
) -> None:
    """The stream of the ledger itself is the one place that nothing spoils: else nothing could be sealed any more."""
    with sealer._room.sealing() as seals:
        ledger = seals.ledger()
    with owner_of(superuser) as admin:
        put(admin, f"ledger:{ledger}", 1, topic, b"{}")
    with pytest.raises(PromiseBroken, match="Position 4"):
        sealer.seal()
    begun.record(acceptance(room_of(superuser), 4) | WHO)
    assert sealer.seal().signed.size == 5
    with assemble(superuser) as fresh:
        assert fresh.record(acceptance(room_of(superuser), 4) | WHO).disposition == "unchanged"
