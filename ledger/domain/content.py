"""What counts as saying the same thing twice.

Content is the fact with the executor's own word, and with the time where the time is part of what is said. It leaves
out actor, reason and trace, and owner and epoch save where they are what is said.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ledger.domain.commands import Plan, parse_transition, print_fact
from ledger.domain.events import (
    Adopted,
    Closing,
    Event,
    Fact,
    Late,
    OwnerFenced,
    OwnerStarted,
    Planned,
    Refused,
    Resolved,
)
from ledger.domain.values import print_time
from ledger.errors import MalformedRecord

_OWNED = (Closing, Adopted, OwnerStarted, OwnerFenced)
_DERIVED = ("root", "depth")


def digest(fact: Fact, raw: str | None, at: datetime | None, owner: str | None, epoch: int | None) -> bytes:
    """16 bytes that are the same for the same content and, but for chance, for no other."""
    body: dict[str, Any] = print_fact(fact)
    if isinstance(fact, Planned):
        for name in _DERIVED:
            body.pop(name, None)
    said: list[Any] = [fact.name, body, raw]
    if fact.timed:
        said.append(print_time(at) if at else None)
    if isinstance(fact, _OWNED):
        said += [owner, epoch]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def digest_of_report(report: Mapping[str, Any], job: str) -> bytes:
    """The digest of a report that a `late` or `resolved` took, as if it had come by itself."""
    said = parse_transition({**report, "job": job}, _no_id)
    if isinstance(said.fact, Plan | Late | Refused):
        raise MalformedRecord(f"A report must say what became of a job, and {said.fact.name} does not.")
    return digest(said.fact, said.raw, said.at, said.owner, said.epoch)


def _no_id() -> str:
    raise MalformedRecord("A report must name its job.")


class Told:
    """What one stream has told so far, by content and by id; it grows with the stream, and can be cut back."""

    __slots__ = ("by_content", "by_id", "lates")

    def __init__(self) -> None:
        self.by_content: dict[bytes, int] = {}
        self.by_id: dict[str, tuple[bytes, datetime, int]] = {}
        self.lates: dict[bytes, int] = {}

    def note(self, event: Event) -> None:
        """Remember an event, and the report in it where it took one."""
        fact, version = event.fact, event.version
        content = digest(fact, event.raw, event.occurred_at, event.owner, event.epoch)
        self.by_content.setdefault(content, version)
        untimed = digest(fact, event.raw, None, event.owner, event.epoch) if fact.timed else content
        self.by_id[event.id] = (untimed, event.occurred_at, version)
        if isinstance(fact, Late):
            self.lates.setdefault(digest_of_report(fact.report, event.job), version)
        elif isinstance(fact, Resolved) and fact.report is not None:
            self.by_content.setdefault(digest_of_report(fact.report, event.job), version)

    def forget_after(self, version: int) -> None:
        """Forget the events beyond a version, which were not recorded after all."""
        self.by_content = {key: at for key, at in self.by_content.items() if at <= version}
        self.lates = {key: at for key, at in self.lates.items() if at <= version}
        self.by_id = {key: entry for key, entry in self.by_id.items() if entry[2] <= version}
