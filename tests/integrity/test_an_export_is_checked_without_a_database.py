import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import MalformedExport
from ledger.integrity.audit import ITSELF, Audit, Auditor
from ledger.integrity.checkpoint import SignedCheckpoint
from ledger.integrity.export import Export
from ledger.integrity.keyfile import KeyFile
from ledger.integrity.note import SigningKey, encode_base64
from ledger.integrity.sealer import Sealer
from ledger.integrity.trust import Trust
from ledger.records.transcript import transcribe
from ledger.store.seals import SealTable

Line = dict[str, Any]
Write = Callable[..., list[Line]]


@pytest.fixture
def write(room: SealTable) -> Write:
    """The lines of an export, as they are read back."""

    def call(positions: Iterable[int] | None = None) -> list[Line]:
        with room.reading() as seals:
            return [json.loads(json.dumps(line)) for line in Export(seals, transcribe, positions).lines()]

    return call


@pytest.fixture
def told(ledger: Ledger, sealer: Sealer) -> SignedCheckpoint:
    """A parent with two children, each with a life, sealed twice; the older checkpoint."""
    ledger.plan("Build", job="p", children=[{"job": f"p/{n}", "type": "Part"} for n in range(2)], actor="ann")
    older = sealer.seal().signed
    for n in range(2):
        ledger.start(f"p/{n}", executor="agent", external_id=f"x{n}")
        ledger.progress(f"p/{n}", done=1.0, total=3)
        ledger.succeed(f"p/{n}", {"n": n, "text": "ä☃"})
    ledger.record({"event": "owner_started", "owner": "engine", "epoch": 1})
    sealer.seal()
    return older


def _audit(lines: Iterable[Line], *keys: Any, kept: SignedCheckpoint | None = None) -> Audit:
    trust = Trust(tuple(keys), "the key of the test") if keys else Trust()
    return Auditor(trust, transcribe, kept).audit(json.dumps(line).encode() for line in lines)


def test_a_whole_export_is_proved_by_the_key_alone(told: SignedCheckpoint, write: Write, key_file: KeyFile) -> None:
    found = _audit(write(), key_file.read().verifier, kept=told)

    assert found.ok, found.findings
    assert (found.count, found.proved, found.whole, found.first, found.last) == (10, 10, True, 1, 10)
    assert [line["hashes"] for line in write() if line.get("export") == "proof"] == []
    assert any("none is missing" in sentence for sentence in found.proves)
    assert any("older checkpoint over 3 events" in sentence for sentence in found.proves)


def test_a_selection_is_proved_and_says_that_it_is_one(told: SignedCheckpoint, write: Write, key_file: KeyFile) -> None:
    lines = write([5, 6, 9])
    found = _audit(lines, key_file.read().verifier)

    assert found.ok, found.findings
    assert [line["position"] for line in lines if "event" in line] == [5, 6, 9]
    assert not found.whole
    assert any("selection" in sentence for sentence in found.cannot)


def test_a_plan_brings_its_children_along(told: SignedCheckpoint, write: Write, key_file: KeyFile) -> None:
    lines = write([1])

    assert [line["position"] for line in lines if "event" in line] == [1, 2, 3]
    assert len(lines[1]["children"]) == 2
    assert _audit(lines, key_file.read().verifier).ok


def test_without_a_key_only_the_exports_own_is_there_and_that_is_said(told: SignedCheckpoint, write: Write) -> None:
    found = _audit(write())

    assert found.ok
    assert found.trust == ITSELF
    assert any("from elsewhere" in sentence for sentence in found.cannot)


def test_what_is_not_sealed_is_not_proved(
    told: SignedCheckpoint, write: Write, ledger: Ledger, key_file: KeyFile
) -> None:
    ledger.plan("T", job="later")
    found = _audit(write(), key_file.read().verifier)

    assert (found.ok, found.unsealed, found.proved, found.findings) == (False, 1, 10, [])
    assert write()[-1]["unsealed"] == 1


def test_an_export_of_what_was_never_sealed_proves_nothing(ledger: Ledger, write: Write) -> None:
    ledger.plan("T", job="a")
    found = _audit(write())

    assert (found.ok, found.proved, found.unsealed, found.proves, found.findings) == (False, 0, 1, [], [])


def _records(lines: list[Line]) -> list[Line]:
    return [line for line in lines if "event" in line]


def _stored(lines: list[Line], place: int) -> None:
    record = _records(lines)[place]
    other = _records(lines)[place + 1]
    record["stored"], other["stored"] = other["stored"], record["stored"]


def _without_record(lines: list[Line], place: int) -> int:
    """Take a record out; how many there are then."""
    lines.remove(_records(lines)[place])
    return len(_records(lines))


def _forged_key(lines: list[Line]) -> None:
    forged = SigningKey.create(lines[0]["origin"])
    lines[0]["keys"] = [{"key": str(forged.verifier), "rotation": None}]
    signed = SignedCheckpoint.parse(lines[0]["checkpoint"])
    from ledger.integrity.note import sign_note

    lines[0]["checkpoint"] = str(sign_note(signed.checkpoint.text, [forged]))


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        (lambda lines: _records(lines)[3].update(actor="bob"), "record"),
        (lambda lines: _records(lines)[4].update(done=1), "record"),
        (lambda lines: _records(lines)[3].update(recorded_at="2026-01-01T00:00:00Z"), "record"),
        (lambda lines: _records(lines)[3].update(position=5), "record"),
        (lambda lines: _records(lines)[0]["children"].pop(), "record"),
        (lambda lines: _stored(lines, 4), "format"),
        (lambda lines: _without_record(lines, 5), "format"),
        (lambda lines: lines[-1].update(count=_without_record(lines, 5)), "changed"),
        (lambda lines: lines.pop(), "format"),
        (lambda lines: lines.insert(-1, {"export": "proof", "hashes": [encode_base64(bytes(32))]}), "changed"),
        (lambda lines: lines[0].update(checkpoint=lines[0]["checkpoint"].replace("\n10\n", "\n11\n")), "checkpoint"),
        (_forged_key, "unknown_key"),
    ],
)
def test_what_was_altered_in_an_export_is_found(
    told: SignedCheckpoint, write: Write, key_file: KeyFile, tamper: Callable[[list[Line]], object], kind: str
) -> None:
    lines = write()
    tamper(lines)

    found = _audit(lines, key_file.read().verifier)

    assert not found.ok
    assert kind in [str(finding.kind) for finding in found.findings]
    assert found.proves == []


@pytest.mark.parametrize("damage", [lambda lines: lines.pop(0), lambda lines: lines.insert(2, {"export": "?"}),
                                    lambda lines: lines[1].update(stored="!"), lambda lines: lines.append(lines[1]),
                                    lambda lines: lines[0].pop("keys")])  # fmt: skip
def test_what_is_no_export_is_refused(
    told: SignedCheckpoint, write: Write, damage: Callable[[list[Line]], object]
) -> None:
    lines = write()
    damage(lines)

    with pytest.raises(MalformedExport):
        _audit(lines)


def test_an_export_cut_off_between_a_parent_and_its_children_is_told(told: SignedCheckpoint, write: Write) -> None:
    lines = write()[:3]

    assert "record" in [str(found.kind) for found in _audit(lines).findings]


def test_an_older_checkpoint_of_another_history_is_found(
    told: SignedCheckpoint, write: Write, key_file: KeyFile
) -> None:
    from ledger.integrity.checkpoint import Checkpoint
    from ledger.integrity.note import sign_note

    other = Checkpoint(told.checkpoint.origin, 3, bytes(32))
    kept = SignedCheckpoint(other, sign_note(other.text, [key_file.read()]))
    ahead = Checkpoint(told.checkpoint.origin, 30, bytes(32))
    later = SignedCheckpoint(ahead, sign_note(ahead.text, [key_file.read()]))

    key = key_file.read().verifier
    assert [str(found.kind) for found in _audit(write(), key, kept=kept).findings] == ["rewritten"]
    assert [str(found.kind) for found in _audit(write(), key, kept=later).findings] == ["went_back"]


def test_the_key_of_before_a_rotation_is_enough(
    told: SignedCheckpoint, write: Write, key_file: KeyFile, sealer: Sealer
) -> None:
    before = key_file.read().verifier
    sealer.rotate()

    assert _audit(write(), before).ok


def test_no_driver_of_a_database_is_needed(
    told: SignedCheckpoint, write: Write, key_file: KeyFile, tmp_path: Path
) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in write()), encoding="utf-8")
    script = (
        "import sys\n"
        "for name in ('psycopg', 'psycopg_pool', 'eventsourcing'): sys.modules[name] = None\n"
        "from ledger.service.cli import main; main()"
    )
    words = ("verify-export", str(file), "--key", str(key_file.read().verifier))
    done = subprocess.run((sys.executable, "-c", script, *words), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "10 events are, byte for byte," in done.stdout
