"""Calling an executor the safe way round: what is about to be called is on record before, and what it answered after.

A call that was made is never made again, however often what is said of it has to be said.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ledger import clock
from ledger.domain.decisions import Disposition
from ledger.domain.receipt import Receipt
from ledger.errors import CancelRequested, LedgerError, OutcomeUnknown, Unavailable

Record = Callable[[Mapping[str, Any]], Receipt]
Call = Callable[[str], str | None]  # takes a token, and gives the external id, if the executor has one


def dispatch(record: Record, job: str, call: Call, executor: str, said: Mapping[str, Any]) -> Receipt:
    """As `Ledger.dispatch` says; `record` puts a transition record on record."""
    token = clock.new_id()
    say = partial(_say, record, job, said)
    submit = partial(say, "submitted", executor=executor, token=token)
    return _go_on(say, submit, call, _Sent(job, executor, token))


class _Sent(NamedTuple):
    """What an executor is called for."""

    job: str
    executor: str
    token: str


def _say(record: Record, job: str, said: Mapping[str, Any], event: str, **fields: Any) -> Receipt:
    others = {name: value for name, value in said.items() if name != "id" or event != "accepted"}
    return record({"job": job, "event": event, **fields, **others})


def _go_on(
    say: Callable[..., Receipt],
    submit: Callable[[], Receipt],
    call: Call,
    sent: _Sent,
    sent_as: str | None = None,
) -> Receipt:
    """Call the executor once `submit` is on record, for the first time or under the id that it was sent as."""
    try:
        submitted = submit()
    except CancelRequested:
        return say("cancelled")
    except OutcomeUnknown as error:
        raise error.by(partial(_go_on, say, error.again, call, sent, error.facts["id"])) from error
    if submitted.disposition is not Disposition.RECORDED and submitted.position.event_id != sent_as:
        return submitted
    external_id = call(sent.token)
    if external_id is None:
        return submitted
    return _Called(say, submit, sent, external_id).accept()


class _Called:
    """A call that was made, and must not be made again, until it is on record."""

    def __init__(
        self, say: Callable[..., Receipt], submit: Callable[[], Receipt], sent: _Sent, external_id: str
    ) -> None:
        self._submit = submit
        self._accepted = partial(say, "accepted", external_id=external_id)
        self._facts = {**sent._asdict(), "external_id": str(external_id)}
        self._told = (
            f"Executor {sent.executor} was called for job {sent.job} under the token {sent.token} and took it as "
            f"{repr(external_id)[:80]}, and that"
        )

    def accept(self) -> Receipt:
        """Say that the executor took it; whatever goes wrong, the error tells of the call."""
        return self._tell(self._accepted, self._accepted)

    def repeat(self, accept: Callable[[], Receipt]) -> Receipt:
        """Say it again, and before it that the call was about to be made: the ledger may have gone back behind that."""
        self._tell(self._submit, accept)
        return self._tell(accept, accept)

    def _tell(self, say: Callable[[], Receipt], accept: Callable[[], Receipt]) -> Receipt:
        try:
            return say()
        except Unavailable as error:
            if say is accept and isinstance(error, OutcomeUnknown):
                accept = error.again
            unknown = OutcomeUnknown(f"{self._told} is not known to be on record: {error}")
            raise unknown.by(partial(self.repeat, accept), **{**error.facts, **self._facts}) from error
        except LedgerError as error:
            raise type(error)(f"{self._told} was not recorded: {error}", **{**error.facts, **self._facts}) from error
