"""Checks an export on a machine that has no database: with the public key alone, and by no other means.

Each record is held against the row beside it, each row is hashed, and the hashes with the cover must lead to the root
that was signed. Where the export is whole, an older checkpoint is checked too. `Audit.proves` and `cannot` say in words
what that comes to.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.domain.commands import parse_json
from ledger.domain.events import Damaged, RecordedEvent
from ledger.errors import FileDamaged, LedgerError, MalformedExport
from ledger.integrity.checkpoint import Checkpoint, SignedCheckpoint
from ledger.integrity.exportform import FORMAT, Transcribe, beside, read_sound
from ledger.integrity.findings import Finding, Kind, shown
from ledger.integrity.hashing import HASH_BYTES, leaf_hash
from ledger.integrity.leaf import GAP, StoredRow, read_leaf
from ledger.integrity.note import VerifierKey, decode_base64
from ledger.integrity.proofs import root_of_cover
from ledger.integrity.trust import Believed, Trust, read_checkpoint

FINDINGS_MAX = 1_000
_GAP = leaf_hash(GAP)
ITSELF = "the keys that the export names itself, which whoever made it could choose"


class _Introduced(NamedTuple):
    verifier_key: str
    rotation: str | None


@dataclass(slots=True)
class Audit:
    """What an export was found to be; `proved` of its `count` events are what was signed."""

    trust: str
    checkpoint: SignedCheckpoint | None = None
    key: VerifierKey | None = None
    count: int = 0
    unsealed: int = 0
    first: int | None = None
    last: int | None = None
    proved: int = 0
    whole: bool = False
    older: Checkpoint | None = None
    cut: Finding | None = None
    damaged: int = 0
    gaps: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every event is proved."""
        return not self.findings and self.proved == self.count and self.checkpoint is not None

    @property
    def proves(self) -> list[str]:
        """What is proved, a sentence each."""
        if self._doubtful or self.checkpoint is None or self.key is None or not self.proved:
            return []
        size, name = self.checkpoint.size, f"{self.key.name}+{self.key.id.hex()}"
        sentences = [f"{self.proved:,} events are, byte for byte, what the key {name} signed among {size:,} events."]
        if self.whole:
            sentences.append(f"They are all the events up to position {size:,}: none is missing, and none was put in.")
        if self.gaps:
            sentences.append(f"{self.gaps:,} positions among them had no event when they were sealed.")
        if self.damaged:
            sentences.append(f"{self.damaged:,} of these rows are no events, and were none when they were sealed.")
        if self.older:
            sentences.append(
                f"They begin with what the older checkpoint over {self.older.size:,} events was signed over."
            )
        return sentences

    @property
    def _doubtful(self) -> bool:
        """Whether more is found than that the file itself is damaged, which makes nothing of what is there untrue."""
        return any(finding is not self.cut for finding in self.findings)

    @property
    def cannot(self) -> list[str]:
        """What is not proved, a sentence each."""
        sentences = []
        if self.cut and not self.proved:
            sentences.append(
                f"Nothing proves the {self.count:,} events before the cut: an export has its proofs at its end."
            )
        if self.unsealed or self.checkpoint is None:
            sentences.append(f"Nothing proves the last {self.unsealed:,} events: they come after the checkpoint.")
        if not self.whole:
            sentences.append("It is a selection, and nothing shows that no other event belongs to it.")
        sentences.append("Nothing shows what came after the checkpoint, or was cut off before it was sealed.")
        if self.older is None:
            sentences.append(
                "Who holds the key could have signed another history; only a checkpoint kept elsewhere tells."
            )
        if self.trust == ITSELF:
            sentences.append("The key is the export's own: compare it with one that you have from elsewhere.")
        return sentences

    def as_json(self) -> dict[str, Any]:
        """The audit under the names that every face uses."""
        findings, more = shown(self.findings)
        return {
            "ok": self.ok,
            "events": self.count,
            "proved": self.proved,
            "unsealed": self.unsealed,
            "first": self.first,
            "last": self.last,
            "whole": self.whole,
            "damaged": self.damaged,
            "gaps": self.gaps,
            "checkpoint": str(self.checkpoint.note) if self.checkpoint else None,
            "key": str(self.key) if self.key else None,
            "trust": self.trust,
            "proves": self.proves,
            "cannot": self.cannot,
            "findings": [finding.as_json() for finding in findings],
            "findings_not_shown": more,
        }


class Auditor:
    """Audits one export; `kept` is an older checkpoint that was kept elsewhere."""

    def __init__(self, trust: Trust, transcribe: Transcribe, kept: SignedCheckpoint | None = None) -> None:
        self._audit = Audit(trust.source if trust.keys else ITSELF)
        self._trust = trust
        self._transcribe = transcribe
        self._kept = kept
        self._believed = Believed.gather(Trust(), ())
        self._origin = ""
        self._leaves: list[tuple[int, bytes]] = []
        self._cover: list[bytes] = []
        self._trailer: dict[str, Any] | None = None
        self._cut = ""

    def audit(self, lines: Iterable[bytes]) -> Audit:
        """Read an export to its end, and judge it; raises `MalformedExport` where it is none.

        Where the lines end early, or with `FileDamaged`, what came before is judged by itself.
        """
        source = self._parse_each(lines)
        self._open(next(source, {}))
        self._read_records(source)
        self._check_trailer()
        self._check_root()
        return self._audit

    def _parse_each(self, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse(number, line)
        except FileDamaged as error:
            self._cut = str(error)
        except MalformedExport:
            if line.endswith(b"\n"):
                raise
            self._cut = f"The file ends within line {number:,}."

    def _open(self, header: dict[str, Any]) -> None:
        if header.get("export") != "header" or header.get("format") != FORMAT:
            raise MalformedExport(
                f"An export must begin with a header of {FORMAT}, and this does not. {self._cut}".rstrip()
            )
        try:
            self._origin = str(header["origin"])
            recorded = [_Introduced(str(row["key"]), row["rotation"]) for row in header["keys"]]
            note = header["checkpoint"]
        except (KeyError, TypeError):
            raise MalformedExport("The header of an export must name origin, keys and checkpoint.") from None
        self._believed = Believed.gather(self._trust, recorded)
        self._audit.findings += self._believed.findings
        if note is not None:
            signed, key, findings = read_checkpoint(str(note), self._origin, self._believed.ring, "of the export")
            self._audit.checkpoint, self._audit.key = signed, key
            self._audit.findings += findings

    def _read_records(self, source: Iterator[dict[str, Any]]) -> None:
        waiting: deque[tuple[StoredRow, bytes, dict[str, Any]]] = deque()
        try:
            for record in self._transcribe(self._events(source, waiting)):
                row, leaf, line = waiting.popleft()
                self._take(row, leaf, line, record | beside(row, leaf))
        except MalformedExport:
            raise
        except LedgerError as error:
            if self._cut:
                return  # in the middle of a family
            place = waiting[0][0].position if waiting else None
            self._find(Kind.RECORD, f"The events of the export do not read as events: {error}", place)

    def _events(
        self, source: Iterator[dict[str, Any]], waiting: deque[tuple[StoredRow, bytes, dict[str, Any]]]
    ) -> Iterator[RecordedEvent]:
        for line in source:
            if "event" not in line and line.get("export") != "damaged":
                self._take_other(line)
                continue
            if self._trailer is not None or self._cover:
                raise MalformedExport("The records of an export must come before its proofs, and one does not.")
            leaf = _bytes(line.get("stored"))
            row = read_leaf(leaf)
            waiting.append((row, leaf, line))
            event = read_sound(row)
            self._audit.damaged += type(event.fact) is Damaged
            yield RecordedEvent(event=event, position=row.position, recorded_at=row.moment)

    def _take_other(self, line: dict[str, Any]) -> None:
        if line.get("export") == "gap":
            self._take_gap(line.get("first"), line.get("last"))
        elif line.get("export") == "proof" and isinstance(line.get("hashes"), list):
            self._cover += [_hash(text) for text in line["hashes"]]
        elif line.get("export") == "trailer" and self._trailer is None:
            self._trailer = line
        else:
            raise MalformedExport("A line of an export must be a record, a proof or its trailer, and one is not.")

    def _take_gap(self, first: object, last: object) -> None:
        size = self._audit.checkpoint.size if self._audit.checkpoint else 0
        if not isinstance(first, int) or not isinstance(last, int) or not 1 <= first <= last <= max(size, first):
            raise MalformedExport("A gap of an export must be of positions that are sealed, and one is not.")
        self._audit.gaps += last - first + 1
        self._leaves += [(position - 1, _GAP) for position in range(first, last + 1)]

    def _take(self, row: StoredRow, leaf: bytes, line: dict[str, Any], expected: dict[str, Any]) -> None:
        audit, here = self._audit, row.position
        if line.get("export") == "damaged":
            line, expected = line | {"why": ""}, expected | {"why": ""}  # which another release says in other words
        if _canonical(line) != _canonical(expected):
            names = ", ".join(sorted(n for n in {*line, *expected} if line.get(n, ...) != expected.get(n, ...)))
            self._find(Kind.RECORD, f"The record of position {here:,} is not what its row says: {names} differs.", here)
        if audit.last is not None and here <= audit.last:
            self._find(Kind.FORMAT, f"Position {here:,} comes after {audit.last:,}, and positions must ascend.", here)
            return
        audit.first, audit.last = audit.first or here, here
        audit.count += 1
        if audit.checkpoint is not None and here <= audit.checkpoint.size:
            self._leaves.append((here - 1, leaf_hash(leaf)))
        else:
            audit.unsealed += 1

    def _check_trailer(self) -> None:
        audit = self._audit
        if self._cut:
            audit.cut = Finding(Kind.FORMAT, self._cut)
            audit.findings.append(audit.cut)
        if self._trailer is None:
            if not self._cut:
                self._find(Kind.FORMAT, "The export has no trailer: it was cut off.")
            return
        for name in ("count", "first", "last"):
            if self._trailer.get(name) != getattr(audit, name):
                expected, counted = self._trailer.get(name), getattr(audit, name)
                self._find(Kind.FORMAT, f"The trailer says that {name} is {expected}, and it is {counted}.")

    def _check_root(self) -> None:
        audit, signed = self._audit, self._audit.checkpoint
        self._leaves.sort()
        if signed is None:
            self._check_kept()
            return
        audit.whole = len(self._leaves) == signed.size > 0
        if _root(self._leaves, signed.size, self._cover) != signed.checkpoint.root:
            if self._trailer is None:
                return  # what is missing may be why
            self._find(Kind.CHANGED, "The events of the export are not those that its checkpoint was signed over.")
            return
        audit.proved = len(self._leaves) - audit.gaps
        self._check_kept()

    def _check_kept(self) -> None:
        """Hold a whole export against a checkpoint that was kept elsewhere."""
        if self._kept is None:
            return
        kept, _, findings = read_checkpoint(str(self._kept.note), self._origin, self._believed.ring, "kept elsewhere")
        self._audit.findings += findings
        if kept is None:
            return
        if self._audit.checkpoint is None or kept.size > self._audit.checkpoint.size:
            size = self._audit.checkpoint.size if self._audit.checkpoint else 0
            sentence = f"The checkpoint kept elsewhere is over {kept.size:,} events, that of the export over {size:,}."
            self._find(Kind.WENT_BACK, sentence, size + 1)
        elif self._audit.whole and _root(self._leaves[: kept.size], kept.size, []) == kept.checkpoint.root:
            self._audit.older = kept.checkpoint
        elif self._audit.whole:
            sentence = (
                f"The events of the export are not those that the kept checkpoint over {kept.size:,} was signed over."
            )
            self._find(Kind.REWRITTEN, sentence)

    def _find(self, kind: Kind, sentence: str, position: int | None = None) -> None:
        if len(self._audit.findings) < FINDINGS_MAX:
            self._audit.findings.append(Finding(kind, sentence, position))


def _root(leaves: list[tuple[int, bytes]], size: int, cover: list[bytes]) -> bytes:
    """The root that the export leads to, or nothing where it leads to none."""
    try:
        return root_of_cover(leaves, size, cover)
    except LedgerError:
        return b""


def _parse(number: int, line: bytes) -> dict[str, Any]:
    try:
        record = parse_json(line)
    except LedgerError as error:
        raise MalformedExport(f"Line {number:,} of the export must be JSON: {error}") from None
    if not isinstance(record, dict):
        raise MalformedExport(f"Line {number:,} of the export must be a JSON object, and is not.")
    return record


def _bytes(text: object) -> bytes:
    try:
        return decode_base64(str(text))
    except ValueError:
        raise MalformedExport("What was stored must be in base64, and is not.") from None


def _hash(text: object) -> bytes:
    data = _bytes(text)
    if len(data) != HASH_BYTES:
        raise MalformedExport(f"A hash of a proof must have {HASH_BYTES} bytes, and one has {len(data)}.")
    return data


def _canonical(line: Mapping[str, Any]) -> str:
    return json.dumps(line, sort_keys=True)
