"""Hashes against rows: what is stored, held against what was signed. Nothing is written."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.errors import NotSealed, TreeDamaged
from ledger.integrity.checkpoint import SignedCheckpoint
from ledger.integrity.claims import Against, Claim, Claims, gather, name_losses
from ledger.integrity.findings import Finding, Kind, Report, name_differences, shown
from ledger.integrity.hashing import leaf_hash
from ledger.integrity.known import name_known
from ledger.integrity.note import encode_base64
from ledger.integrity.promises import Promises, accepted_breaks
from ledger.integrity.proofs import is_consistent, prove_consistency, prove_inclusion, root_of_inclusion
from ledger.integrity.tiles import TileStore, Tree
from ledger.integrity.trust import Believed, Trust
from ledger.integrity.walk import Walk, name_breaches, walk_tail
from ledger.store.seals import Seals


class ReadingRoom(Protocol):
    """Where a ledger is read as it stands at one moment."""

    def reading(self) -> AbstractContextManager[Seals]:
        """A snapshot."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an event is what was sealed: its position, the canonical form of its row, and the audit path of its leaf."""

    position: int
    stored: bytes
    path: tuple[bytes, ...]

    def as_json(self) -> dict[str, Any]:
        """The proof under the names that every face uses."""
        return {
            "position": self.position,
            "index": self.position - 1,
            "stored": encode_base64(self.stored),
            "leaf": encode_base64(leaf_hash(self.stored)),
            "path": [encode_base64(sibling) for sibling in self.path],
        }


@dataclass(frozen=True, slots=True)
class JobProof:
    """The proofs of a job's events; `unsealed` are the positions that come after the checkpoint."""

    job: str
    checkpoint: SignedCheckpoint
    proofs: tuple[Inclusion, ...]
    unsealed: tuple[int, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The proofs under the names that every face uses."""
        return {
            "ok": not self.findings,
            "job": self.job,
            "checkpoint": str(self.checkpoint.note),
            "proofs": [proof.as_json() for proof in self.proofs],
            "unsealed": list(self.unsealed),
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Consistency:
    """Whether one checkpoint begins with what another was signed over, and the proof of it."""

    old: SignedCheckpoint
    new: SignedCheckpoint
    path: tuple[bytes, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The proof under the names that every face uses."""
        return {
            "ok": not self.findings,
            "old": str(self.old.note),
            "new": str(self.new.note),
            "path": [encode_base64(sibling) for sibling in self.path],
            "findings": [finding.as_json() for finding in self.findings],
        }


class Verifier:
    """Verifies one ledger; `kept` is a checkpoint that was kept outside of it."""

    def __init__(self, room: ReadingRoom, trust: Trust, kept: SignedCheckpoint | None = None) -> None:
        self._room = room
        self._trust = trust
        self._kept = kept

    def verify(self, first: int = 1, last: int | None = None, against: Against = None) -> Report:
        """Walk the rows from `first` to `last`, all that are sealed unless told, and hold them against what was signed.

        With `against` that checkpoint alone. Raises `NotSealed` where nothing was ever signed, or nothing up to there,
        and `Unavailable`.
        """
        with self._room.reading() as seals:
            claims = self._gather(seals, against)
            head = seals.head()
            size = max((claim.head.size for claim in claims.trusted), default=0)
            end = min(size, head, size if last is None else last)
            if first > max(1, size):
                raise NotSealed(f"Position {first:,} must be sealed to be verified; {size:,} events are.", size=size)
            accepted = accepted_breaks(seals)
            # Sealed rows too: nothing that is signed says whether the sealer that took them in had checked them.
            promises = Promises(seals, max(1, first) - 1, accepted) if against is None else None
            walk = Walk(seals, max(1, first), end, promises)
            walk.go()
            findings = [*claims.findings, *name_losses(claims, head), *walk.findings, *_judge(walk, claims, head)]
            altered = {finding.position for finding in findings}
            findings += name_breaches(breach for breach in walk.breaches if breach.position not in altered)
            unsealed = max(0, head - size)
            if promises is not None and last is None:
                unsealed, behind = walk_tail(seals, min(size, head), head, promises)
                findings += behind
            known = tuple(name_known(walk.gaps, accepted, seals.set_aside()))
        listed, more = shown(findings)
        largest = claims.largest
        return Report(
            origin=claims.origin,
            size=size,
            root=largest.head.root if largest else None,
            key=largest.key if largest else None,
            trust=self._trust.source,
            checked=(walk.first, walk.last),
            checkpoints=len(claims.trusted),
            unsealed=unsealed,
            findings=listed,
            more=more + walk.differing - len(walk.differences),
            known=known,
        )

    def prove_job(self, job: str, against: Against = None) -> JobProof:
        """The inclusion proof of each event of a job, each checked; raises `NotSealed`, `Unavailable`.

        A job of which nothing speaks has no proofs.
        """
        with self._room.reading() as seals:
            claims = self._gather(seals, against)
            signed = claims.checkpoint()
            tree = Tree(seals, signed.size)
            positions = seals.positions(f"job:{job}")
            sealed = [position for position in positions if position <= signed.size]
            findings, proofs = list(claims.findings), []
            for position in sealed:
                proof, wrong = _prove(seals, tree, position, signed)
                findings += wrong
                proofs += [proof] if proof else []
        late = tuple(positions[len(sealed) :])
        return JobProof(job, signed, tuple(proofs), late, tuple(findings))

    def prove_consistency(self, old: Against, new: Against = None) -> Consistency:
        """That the checkpoint `new` begins with all that `old` was signed over; raises `NotSealed`, `Unavailable`."""
        with self._room.reading() as seals:
            asked = [self._gather(seals, old), self._gather(seals, new)]
            first, second = (claims.checkpoint() for claims in asked)
            findings = [finding for claims in asked for finding in claims.findings]
            if first.size > second.size:
                first, second = second, first
            path: list[bytes] = []
            try:
                path = prove_consistency(Tree(seals, second.size).subtree, first.size, second.size)
            except TreeDamaged as error:
                findings.append(Finding(Kind.TREE, str(error)))
        roots = first.checkpoint.root, second.checkpoint.root
        if not is_consistent(first.size, roots[0], second.size, roots[1], path):
            sentence = f"The checkpoint over {second.size:,} events does not begin with that over {first.size:,}."
            findings.append(Finding(Kind.REWRITTEN, sentence))
        return Consistency(first, second, tuple(path), tuple(findings))

    def _gather(self, seals: Seals, against: Against) -> Claims:
        claims = gather(seals, Believed.gather(self._trust, seals.public_keys()), self._kept, against)
        if not claims.trusted and not claims.findings:
            raise NotSealed("Something must be sealed before it can be verified; run jobledger seal.")
        return claims


def _prove(seals: Seals, tree: Tree, position: int, signed: SignedCheckpoint) -> tuple[Inclusion | None, list[Finding]]:
    """The proof of an event, and what is wrong with it."""
    leaf = next((leaf for page in seals.leaves(position - 1, position) for _, leaf in page), None)
    if leaf is None:
        return None, [Finding(Kind.MISSING, f"No event is at position {position:,}, where one was sealed.", position)]
    try:
        path = prove_inclusion(tree.subtree, position - 1, signed.size)
    except TreeDamaged as error:
        return None, [Finding(Kind.TREE, str(error), position)]
    if root_of_inclusion(leaf_hash(leaf), position - 1, signed.size, path) == signed.checkpoint.root:
        return Inclusion(position, leaf, tuple(path)), []
    return None, [
        Finding(Kind.CHANGED, f"The event at position {position:,} is not the one that was sealed.", position)
    ]


def _judge(walk: Walk, claims: Claims, head: int) -> list[Finding]:
    """What the walk means, by what was signed: whether rows or tree are at fault, and which."""
    checkable = [claim for claim in claims.trusted if claim.head.size <= max(head, claims.on_record)]
    failing = _failing(walk.found, checkable)
    if not failing:
        return _name_damage(walk) if checkable else []
    named = name_differences(walk.differences)
    if (named or walk.findings) and not _failing(walk.sealed, failing):
        return named
    held = [claim.head.size for claim in checkable if claim not in failing]
    end = min(claim.head.size for claim in failing)
    start = max((size for size in held if size < end), default=0)
    what = next(claim.what for claim in failing if claim.head.size == end)
    sentence = f"The events from position {start + 1:,} to {end:,} are not those of the checkpoint {what}."
    return [Finding(Kind.REWRITTEN, sentence, start + 1), *named]


def _failing(store: TileStore, claims: Sequence[Claim]) -> list[Claim]:
    """The claims that a tree does not bear out."""
    tree = Tree(store, max((claim.head.size for claim in claims), default=0))
    return [claim for claim in claims if not _bears_out(tree, claim)]


def _bears_out(tree: Tree, claim: Claim) -> bool:
    try:
        return tree.subtree(0, claim.head.size) == claim.head.root
    except TreeDamaged:
        return False


def _name_damage(walk: Walk) -> list[Finding]:
    """What is wrong with the stored tree, where the rows are what was signed."""
    findings = [
        Finding(
            Kind.TREE,
            f"The stored tree has another hash for position {different.position:,}, whose event is as it was sealed.",
            different.position,
        )
        for different in walk.differences
    ]
    above = (
        f"The stored tree's tile {level}/{number} is not that of its leaves."
        for level, number in walk.found.altered_above()
    )
    return findings + [Finding(Kind.TREE, sentence) for sentence in above]
