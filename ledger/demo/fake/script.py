"""What a task of the fake executor does, as whoever calls it says beforehand."""

from dataclasses import dataclass, fields
from typing import Any

from ledger.errors import MalformedRecord

ENDS = ("succeeded", "failed", "cancelled")
WORDS = {"ends": ENDS, "dies": (None, "before_answer"), "drops": (None, "answer"), "twice": (False, True)}
NUMBERS = ("seconds", "percent", "forget_after")


@dataclass(frozen=True, slots=True)
class Script:
    """What a task does.

    It runs for `seconds` (None: until it is released or cancelled), then `ends` as succeeded, failed (with `error`) or
    cancelled, telling `result` and `products`; while it runs it is at `percent`. It is forgotten `forget_after` seconds
    after it ended (None: never). Once the call is accepted, and before it is answered, the process `dies`
    ("before_answer") or `drops` the connection ("answer"). `twice`: a listing speaks of it again, as it was earlier.
    """

    seconds: float | None = 0.0
    ends: str = "succeeded"
    error: Any = None
    percent: float | None = None
    forget_after: float | None = None
    dies: str | None = None
    drops: str | None = None
    twice: bool = False
    result: Any = None
    products: Any = None

    def __post_init__(self) -> None:
        for name, words in WORDS.items():
            if getattr(self, name) not in words:
                raise MalformedRecord(f"A script's {name} must be one of {words}, and is {getattr(self, name)!r}.")
        for name in NUMBERS:
            number = getattr(self, name)
            if number is not None and not (isinstance(number, int | float) and number >= 0):
                raise MalformedRecord(f"A script's {name} must be a number from 0 or null, and is {number!r}.")


FIELDS = frozenset(field.name for field in fields(Script))


def read_script(value: object) -> Script:
    """A script from its JSON object; raises `MalformedRecord` where it says what no script knows."""
    if not isinstance(value, dict):
        raise MalformedRecord(f"A script must be a JSON object, not {type(value).__name__}.")
    if unknown := sorted(value.keys() - FIELDS):
        raise MalformedRecord(f"A script must have known fields only, and this has {unknown[0]!r}.")
    return Script(**value)
