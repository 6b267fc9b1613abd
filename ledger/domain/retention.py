"""When a tree of jobs may leave the live views."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from ledger.domain.values import SECONDS_MAX, Count, Frozen
from ledger.errors import MalformedRecord


def _seconds(value: object) -> timedelta:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= SECONDS_MAX:
        raise MalformedRecord(f"A span must be a number of seconds from 0 to {SECONDS_MAX:,}.")
    span = timedelta(seconds=value)
    if span.total_seconds() != value:
        raise MalformedRecord(f"A span must be a whole number of microseconds, and {value} seconds are not.")
    return span


def _whole(span: timedelta) -> int | float:
    seconds = span.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


Seconds = Annotated[timedelta, BeforeValidator(_seconds), PlainSerializer(_whole)]


class Retention(Frozen):
    """A policy: a closed tree leaves once it is older than `keep_for`, or beyond the newest `keep_at_most` jobs of its
    actor, but never within `dwell`. Ages count from the recorded_at of the tree's last closing event.
    """

    keep_for: Seconds = timedelta(days=90)
    keep_at_most: Count | None = None
    dwell: Seconds = timedelta(0)


# What Hyper-V does to finished jobs: gone after 5 minutes, or beyond 4,096.
PRESETS = {
    "default": Retention(),
    "hyperv": Retention(keep_for=timedelta(minutes=5), keep_at_most=4_096),
}


def parse_retention(value: Any) -> Any:
    """A preset by its name, or the policy itself; raises `MalformedRecord` for a name that is none."""
    if isinstance(value, str):
        if value not in PRESETS:
            raise MalformedRecord(f"A retention policy must be one of {', '.join(PRESETS)}, not {value!r}.")
        return PRESETS[value]
    return value


RetentionPolicy = Annotated[Retention, BeforeValidator(parse_retention)]
