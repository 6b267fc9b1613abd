"""What a verification found: each finding names its kind, the first position that it is about, and says it in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ledger.integrity.leaf import PARTS, differing_parts
from ledger.integrity.note import VerifierKey, encode_base64

SHOWN_MAX = 20


class Kind(StrEnum):
    """What may be wrong."""

    CHANGED = "changed"
    MOVED = "moved"
    MISSING = "missing"
    TWICE = "twice"
    CUT_OFF = "cut_off"
    REWRITTEN = "rewritten"
    WENT_BACK = "went_back"
    UNKNOWN_KEY = "unknown_key"
    CHECKPOINT = "checkpoint"
    ROTATION = "rotation"
    TREE = "tree"
    PROMISE = "promise"
    RECORD = "record"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed; `position` is the first that it is about, None where it is about none."""

    kind: Kind
    sentence: str
    position: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding under the names that every face uses."""
        return {"kind": str(self.kind), "position": self.position, "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Difference:
    """A position whose row is not the one that the tree has: what its parts sum up to there, and in the tree."""

    position: int
    found: bytes
    sealed: bytes


def name_differences(differences: Sequence[Difference]) -> list[Finding]:
    """What became of each row that differs: which part of it, and whether it is what was sealed elsewhere."""
    places = {different.sealed: different.position for different in reversed(differences) if different.sealed}
    parts: list[dict[bytes, int]] = [
        {different.sealed[n : n + 4]: different.position for different in reversed(differences) if different.sealed}
        for n in (0, 4, 8)
    ]
    return [_name(different, places, parts) for different in differences]


def _name(different: Difference, places: Mapping[bytes, int], parts: Sequence[Mapping[bytes, int]]) -> Finding:
    here = different.position
    if not different.sealed:
        return Finding(Kind.CHANGED, f"The event at position {here:,} is not the one that was sealed.", here)
    origin = places.get(different.found)
    if origin is not None and origin != here:
        sentence = f"The event at position {here:,} is the one that was sealed at position {origin:,}."
        return Finding(Kind.MOVED, sentence, here)
    words = []
    for part in differing_parts(different.found, different.sealed):
        n = PARTS.index(part)
        other = parts[n].get(different.found[4 * n : 4 * n + 4])
        words.append(part + (f" (as sealed at position {other:,})" if other is not None else ""))
    what = f": its {', and its '.join(words)} differs" if words else ""
    return Finding(Kind.CHANGED, f"The event at position {here:,} is not the one that was sealed{what}.", here)


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, against what, and what was found; `checked` are the first and last position.

    `known` says what is no finding, since it was sealed so or accepted: gaps, breaks, what was set aside.
    """

    origin: str
    size: int
    root: bytes | None
    key: VerifierKey | None
    trust: str
    checked: tuple[int, int]
    checkpoints: int
    unsealed: int
    findings: tuple[Finding, ...]
    more: int = 0
    known: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def first_bad(self) -> int | None:
        """The first position that is not as it was sealed, where a finding names one."""
        return min((finding.position for finding in self.findings if finding.position is not None), default=None)

    def as_json(self) -> dict[str, Any]:
        """The report under the names that every face uses."""
        return {
            "ok": self.ok,
            "origin": self.origin,
            "size": self.size,
            "root": encode_base64(self.root) if self.root is not None else None,
            "key": str(self.key) if self.key else None,
            "trust": self.trust,
            "checked": {"first": self.checked[0], "last": self.checked[1]},
            "checkpoints": self.checkpoints,
            "unsealed": self.unsealed,
            "first_bad_position": self.first_bad,
            "findings": [finding.as_json() for finding in self.findings],
            "findings_not_shown": self.more,
            "known": list(self.known),
        }


def shown(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], int]:
    """The findings, the first position in front, as many as are shown, and how many there are beyond."""
    ordered = sorted(findings, key=lambda finding: (finding.position is None, finding.position or 0))
    return tuple(ordered[:SHOWN_MAX]), max(0, len(ordered) - SHOWN_MAX)
