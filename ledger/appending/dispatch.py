"""Calling an executor the safe way round: what is about to be called is on record before, and what it answered after.

A call that was made is never made again, however often what is said of it has to be said.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ledger import clock
from ledger.domain.decisions import Disposition
from ledger.domain.receipt import Receipt
from ledger.errors import CancelRequested, OutcomeUnknown, Unavailable

Record = Callable[[Mapping[str, Any]], Receipt]
Call = Callable[[str], str | None]  # takes a token, and gives the external id, if the executor has one


def dispatch(record: Record, job: str, call: Call, executor: str, said: Mapping[str, Any]) -> Receipt:
    """As `Ledger.dispatch` says; `record` puts a transition record on record."""
    token = clock.new_id()
    say = partial(_say, record, job, said)
    submit = partial(say, "submitted", executor=executor, token=token)
    return _go_on(say, submit, partial(call, token))


def _say(record: Record, job: str, said: Mapping[str, Any], event: str, **fields: Any) -> Receipt:
    others = {name: value for name, value in said.items() if name != "id" or event != "accepted"}
    return record({"job": job, "event": event, **fields, **others})


def _go_on(
    say: Callable[..., Receipt],
    submit: Callable[[], Receipt],
    call: Callable[[], str | None],
    sent_as: str | None = None,
) -> Receipt:
    """Call the executor once `submit` is on record, for the first time or under the id that it was sent as."""
    try:
        submitted = submit()
    except CancelRequested:
        return say("cancelled")
    except OutcomeUnknown as error:
        raise error.by(partial(_go_on, say, error.again, call, error.facts["id"])) from error
    if submitted.disposition is not Disposition.RECORDED and submitted.position.event_id != sent_as:
        return submitted
    external_id = call()
    if external_id is None:
        return submitted
    return _accept(partial(say, "accepted", external_id=external_id))


def _accept(accept: Callable[[], Receipt]) -> Receipt:
    """Say that the executor took a call, whatever it takes: it must not be called again."""
    try:
        return accept()
    except Unavailable as error:
        again = error.again if isinstance(error, OutcomeUnknown) else accept
        unknown = OutcomeUnknown(f"The executor was called, and that is not known to be on record: {error}")
        raise unknown.by(partial(_accept, again), **error.facts) from error
