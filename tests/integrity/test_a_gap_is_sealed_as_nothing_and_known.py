"""A position without a row, as a ledger of before may have, is the leaf of the empty string."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.integrity.accepting import acceptance
from ledger.integrity.audit import Audit, Auditor
from ledger.integrity.export import Export
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.sealer import Sealer
from ledger.integrity.selection import select
from ledger.integrity.trust import Trust
from ledger.integrity.verify import Verifier
from ledger.records.importer import Rejected
from ledger.records.transcript import transcribe
from ledger.service.assembly import assemble
from ledger.store.seals import SealTable
from tests.integrity import model
from tests.integrity.conftest import record
from tests.integrity.wounds import PLANNED, leave_gap, owner_of, put, unguarded

GAPS = {"one": (5, 5), "several": (300, 310), "the first": (1, 1), "the last but one": (599, 599), "a tile": (1, 512)}


@pytest.mark.parametrize("gap", GAPS.values(), ids=GAPS.keys())
def test_a_gap_is_sealed_and_named(
    superuser: str, sealer: Sealer, room: SealTable, verifier: Callable[[], Verifier], gap: tuple[int, int]
) -> None:
    """The root is that of RFC 6962 with an empty leaf at each of its positions; verify tells it as known."""
    record(superuser, 1, 600)
    with owner_of(superuser) as admin:
        leave_gap(admin, *gap)
    done = sealer.seal()

    assert (done.signed.size, done.gaps) == (600, (gap,))
    with room.reading() as seals:
        rows = {position: leaf or b"" for page in seals.leaves(0, 600) for position, leaf in page}
    assert done.signed.checkpoint.root == model.root([rows.get(position, b"") for position in range(1, 601)])
    report = verifier().verify()
    assert report.ok
    assert len(report.known) == 1
    assert "known" in report.known[0]
    record(superuser, 601, 610)
    assert sealer.seal().gaps == ()
    assert verifier().verify().ok


def test_a_gap_that_is_filled_later_is_found(
    superuser: str, conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier]
) -> None:
    """Where nothing was sealed, nothing may be put in."""
    record(conninfo, 1, 20)
    with owner_of(superuser) as admin:
        admin.execute("CREATE TABLE public.kept AS SELECT * FROM ledger.stored_events WHERE notification_id = 7")
        leave_gap(admin, 7)
        sealer.seal()
        unguarded(admin, "INSERT INTO ledger.stored_events OVERRIDING SYSTEM VALUE SELECT * FROM public.kept")

    report = verifier().verify()

    assert [(str(found.kind), found.position) for found in report.findings] == [("changed", 7)]
    assert "which was sealed without" in report.findings[0].sentence


def test_a_row_that_goes_later_is_no_known_gap(
    superuser: str, conninfo: str, sealer: Sealer, verifier: Callable[[], Verifier]
) -> None:
    """A gap is known only where it was sealed."""
    record(conninfo, 1, 20)
    with owner_of(superuser) as admin:
        leave_gap(admin, 7)
        sealer.seal()
        leave_gap(admin, 9)

    report = verifier().verify()

    assert [(str(found.kind), found.position) for found in report.findings] == [("missing", 9)]
    assert [sentence for sentence in report.known if "position 7" in sentence]


def _lines(room: SealTable, after: int = 0, upto: int | None = None, jobs: tuple[str, ...] = ()) -> list[bytes]:
    with room.reading() as seals:
        export = Export(seals, transcribe, *select(seals, after, upto, jobs))
        return [json.dumps(line).encode() + b"\n" for line in export.lines()]


def _audit(lines: list[bytes], key_file: KeyFile) -> Audit:
    key = key_file.verifier()
    assert key is not None
    return Auditor(Trust((key,), "the key of the test"), transcribe).audit(lines)


def test_an_export_proves_over_gaps_and_damage(
    superuser: str, ledger: Ledger, sealer: Sealer, room: SealTable, key_file: KeyFile
) -> None:
    """Whole, a range, and a job: rows that are no events come as they are, gaps as nothing, and all is proved."""
    family: list[dict[str, Any]] = [{"job": f"p/{n}", "type": "T"} for n in range(5)]
    ledger.plan("T", job="p", children=family)
    ledger.plan("T", job="q", children=[{"job": f"q/{n}", "type": "T"} for n in range(5)])
    with owner_of(superuser) as admin:
        leave_gap(admin, 4)
        unguarded(admin, "UPDATE ledger.stored_events SET state = 'junk' WHERE notification_id = 9")
        put(admin, "job:stray", 1, "os.system", b"\xff")
    done = sealer.seal_sound()
    while done.broken is not None:
        with assemble(superuser) as both:
            both.record(acceptance(room, done.broken.position) | {"reason": "seen"})
        done = sealer.seal_sound()
    head = done.signed.size

    whole = _audit(_lines(room), key_file)
    assert (whole.ok, whole.whole, whole.proved, whole.gaps, whole.damaged) == (True, True, head - 1, 1, 2)
    assert [sentence for sentence in whole.proves if "no events" in sentence]
    for after in range(head):
        part = _audit(_lines(room, after, after + 4), key_file)
        assert (part.ok, part.findings) == (True, [])
    assert _audit(_lines(room, jobs=("q/1", "stray")), key_file).ok

    lines = _lines(room)
    (damaged,) = [n for n, line in enumerate(lines) if b"os.system" in line]
    said = json.loads(lines[damaged])
    lines[damaged] = json.dumps(said | {"stored": json.loads(lines[1])["stored"]}).encode() + b"\n"
    assert not _audit(lines, key_file).ok
    lines = [line for line in _lines(room) if b'"gap"' not in line]
    assert not _audit(lines, key_file).ok


def test_what_is_exported_beside_a_gap_is_read_back(
    superuser: str, ledger: Ledger, room: SealTable, second: str, sealer: Sealer
) -> None:
    """A line of what is no event is passed over; a tree that lacks a child comes without it."""
    for top in ("p", "q"):
        ledger.plan("T", job=top, children=[{"job": f"{top}/{n}", "type": "T"} for n in range(3)])
    with owner_of(superuser) as admin:
        leave_gap(admin, 4)
        put(admin, "job:stray", 1, "os.system", b"\xff")
        put(admin, "job:p/0", 2, "job.started.v1", b"junk")
    lines = _lines(room)
    with room.reading() as seals:
        plain = [json.dumps(line).encode() + b"\n" for line in Export(seals, transcribe).records()]
    assert len([line for line in plain if b'"damaged"' in line]) == 2

    with assemble(second) as other:
        rejected: list[Rejected] = []
        summary = other.import_records([*lines, *plain], on_reject=rejected.append)
        assert (rejected, summary.recorded) == ([], 7)
        assert {job.job for job in other.jobs()} == {"p", "p/0", "p/1", "q", "q/0", "q/1", "q/2"}


def test_a_job_is_proved_beside_a_gap(
    superuser: str, ledger: Ledger, sealer: Sealer, verifier: Callable[[], Verifier]
) -> None:
    """The index of a leaf is its position less one, whatever is missing before it."""
    for n in range(9):
        ledger.plan("T", job=f"j{n}")
    with owner_of(superuser) as admin:
        leave_gap(admin, 3, 4)
    sealer.seal()

    proof = verifier().prove_job("j6")
    assert (proof.findings, [found.as_json()["index"] for found in proof.proofs]) == ((), [6])
    assert leaf_hash(b"") == model.root([b""])


def test_the_library_goes_on_beside_a_gap(superuser: str, ledger: Ledger) -> None:
    """Appends, the feed, views and history know no gap."""
    for n in range(9):
        ledger.plan("T", job=f"j{n}")
    with owner_of(superuser) as admin:
        leave_gap(admin, 3, 4)
        put(admin, "job:later", 1, "job.planned.v1", PLANNED)
    ledger.plan("T", job="last")
    assert [entry.position for entry in ledger.events()] == [1, 2, *range(5, 12)]
    assert ledger.search().page().position == 11
