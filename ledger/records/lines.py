"""Lines of records, and the transitions that they ask for."""

from collections.abc import Iterable, Iterator, Sequence

from ledger import clock
from ledger.appending.submission import identified
from ledger.domain.commands import Transition, parse_json, parse_transition
from ledger.domain.values import LINE_BYTES_MAX
from ledger.errors import LedgerError, MalformedRecord

PAGE_LINES_MAX = 500
PAGE_BYTES_MAX = 2 * 1024 * 1024  # and one line, so that few long lines are a page too
EXPORTED_BESIDE = frozenset(
    {"cursor", "position", "recorded_at", "stored"}
)  # where a record stood, which an import gives anew

RecordLine = tuple[int, bytes]  # its number, from 1, and what it says


def pages(lines: Iterable[bytes]) -> Iterator[Sequence[RecordLine]]:
    """The lines that are not blank, 500 or 2 MiB at a time; those before an error come before it."""
    page: list[RecordLine] = []
    size = 0
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                page.append((number, line))
                size += len(line)
            if len(page) >= PAGE_LINES_MAX or size >= PAGE_BYTES_MAX:
                yield page
                page, size = [], 0
    except Exception:
        if page:
            yield page
        raise
    if page:
        yield page


def parse_line(line: bytes) -> Transition | LedgerError | None:
    """The transition that a line asks for, under an id; the error that it is, or None where it is no record."""
    try:
        record = _read(line)
        return None if record is None else identified(record)
    except LedgerError as error:
        return error


def _read(line: bytes) -> Transition | None:
    """The transition of a line; None for a line of an export that is no record: its header, proofs and trailer."""
    if len(line) > LINE_BYTES_MAX:
        raise MalformedRecord(f"A line must have {LINE_BYTES_MAX:,} bytes at most, and this has {len(line):,}.")
    record = parse_json(line)
    if isinstance(record, dict):
        if "export" in record and "event" not in record:
            return None
        for name in EXPORTED_BESIDE:
            record.pop(name, None)
    return parse_transition(record, clock.new_id)
