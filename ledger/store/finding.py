"""What was found about a database: each finding in one sentence, with what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: a code for programs, how bad it is, and a sentence for people."""

    code: str
    level: Level
    sentence: str
