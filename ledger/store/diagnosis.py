"""What was found about a database: each finding in one sentence, with what to do."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: a code for programs, how bad it is, and a sentence for people."""

    code: str
    level: Level
    sentence: str


class Lag(NamedTuple):
    """By how many events the views are behind the ledger or ahead of it, and whether they lost their rows."""

    lag: int
    ahead: int
    emptied: bool
