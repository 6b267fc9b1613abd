"""What executors know, from a file: one JSON object a line, for everybody without an adapter.

`{"executor","external_id","token","state","percent","error","raw"}` is a task (and may have `entities`, `result` and
`products`); `{"executor","complete":true}` closes the listing of an executor that names every task it was ever given;
`{"executor","reachable":false}` says that it could not be asked. Whether it keeps tokens is seen from its tasks, or
said with `"tokens"` beside `"complete"`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import StrictBool, ValidationError

from ledger.domain.commands import malformed, parse_json
from ledger.domain.values import ExecutorName, Frozen
from ledger.errors import BadInput, ExecutorUnreachable, MalformedRecord
from ledger.executors.protocol import Listing, Task


class _Close(Frozen):
    """The line about a listing as a whole."""

    executor: ExecutorName
    complete: StrictBool = False
    tokens: StrictBool | None = None
    reachable: StrictBool = True


@dataclass(slots=True)
class _Draft:
    tasks: list[Task] = field(default_factory=list)
    close: _Close | None = None


class ListedExecutor:
    """An executor of which no more is known than one listing (`ledger.executors.protocol.Executor`)."""

    def __init__(self, listing: Listing) -> None:
        self.name = listing.executor
        self._listing = listing

    def list(self) -> Listing:
        """The listing; raises `ExecutorUnreachable` where it says that there is none."""
        if not self._listing.reachable:
            raise ExecutorUnreachable(f"The executor {self.name} could not be asked.", executor=self.name)
        return self._listing

    def ask(self, external_id: str | None, token: str | None) -> Task | None:  # noqa: ARG002 - the protocol
        """Nothing beyond the listing."""
        return None

    def cancel(self, external_id: str) -> None:  # noqa: ARG002 - the protocol
        """Raise `ExecutorUnreachable`: a file takes no calls."""
        raise ExecutorUnreachable(f"The executor {self.name} is known from a file alone.", executor=self.name)

    def fence(self, token: str) -> Task | None:  # noqa: ARG002 - the protocol
        """Nothing: a file cannot keep a call from arriving, so whoever wrote it answers for that."""
        return None


def read_tasks(files: Mapping[str, Iterable[bytes]]) -> list[ListedExecutor]:
    """The executors that files, by their names, speak of; raises `MalformedRecord` with the number of the line."""
    drafts: dict[str, _Draft] = {}
    for name, lines in files.items():
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    _take(drafts, parse_json(line))
                except BadInput as error:
                    raise MalformedRecord(f"Line {number} of {name}: {error}", file=name, line=number) from None
    return [ListedExecutor(_listing(name, draft)) for name, draft in drafts.items()]


def _take(drafts: dict[str, _Draft], record: Any) -> None:
    if not isinstance(record, dict):
        raise MalformedRecord(f"A task must be a JSON object, not {type(record).__name__}.")
    about_all = bool(record.keys() & {"complete", "reachable", "tokens"})
    try:
        entry = _Close.model_validate(record) if about_all else Task.model_validate(record)
    except ValidationError as error:
        raise malformed(error) from None
    draft = drafts.setdefault(entry.executor, _Draft())
    if isinstance(entry, Task):
        draft.tasks.append(entry)
    else:
        draft.close = entry


def _listing(name: str, draft: _Draft) -> Listing:
    close = draft.close or _Close(executor=name)
    # Where there is no task at all, none can be under a token.
    seen = any(task.token is not None for task in draft.tasks) or not draft.tasks
    tokens = seen if close.tokens is None else close.tokens
    return Listing(name, tuple(draft.tasks), close.complete, tokens, close.reachable)
