"""What is to come: watch and wait."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import moments, output
from ledger.service.cli.moments import After, seconds
from ledger.service.cli.output import Form, Output
from ledger.service.wire import event_json

if TYPE_CHECKING:
    from ledger.domain.events import RecordedEvent

ENDED_OTHERWISE = 3


def watch(
    job: Annotated[str | None, typer.Argument(help="Only this job, until it is closed.")] = None,
    after: After = None,
    form: Output = Form.TABLE,
) -> None:
    """Follow the ledger, event by event, from its end or --after a position.

    With a job, until that is closed: exit 0 where it ended well, 3 where it did not.
    """
    from ledger import open_ledger

    place = moments.place(after)
    with open_ledger() as ledger:
        if job is None:
            for entry in ledger.watch(place):
                _print(entry, form)
            return
        ledger.job(job)  # that there is none is told at once
        for entry in ledger.watch(place or 0, job=job):
            _print(entry, form)
        view = ledger.wait(job)  # which is closed, and found so even where the database goes away just now
    raise typer.Exit(0 if view.ok else ENDED_OTHERWISE)


def _print(entry: "RecordedEvent", form: Form) -> None:
    if form is Form.TABLE:
        when, words = output.moment(entry.event.occurred_at), output.event_said(entry)
        output.say(f"{entry.position:>8}  {when}  {entry.event.name:<16} {entry.event.job}  {words}".rstrip())
    else:
        output.print_json(event_json(entry) | {"cursor": entry.cursor.text})
    sys.stdout.flush()


def wait(
    job: Annotated[str | None, typer.Argument(help="The job to wait for.")] = None,
    free: Annotated[str | None, typer.Option("--free", help="Wait until this entity, TYPE/ID, is free.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, callback=seconds, help="Give up after so many seconds, with exit 124."),
    ] = None,
    form: Output = Form.TABLE,
) -> None:
    """Wait until a job is closed, or an entity is free.

    Exit 0 where the job ended well, 3 where it did not, 124 where the time ran out.
    """
    from ledger import open_ledger

    if (job is None) == (free is None):
        raise typer.BadParameter("Name either a job or, with --free, an entity.")
    with open_ledger() as ledger:
        if free is not None:
            answer = ledger.wait_free(free, timeout)
            if form is not Form.TABLE:
                output.print_json(answer.as_json())
            else:
                output.say(f"{free} is free.")
            return
        view = ledger.wait(job or "", timeout)
    if form is not Form.TABLE:
        output.print_json(view.as_json())
    else:
        output.say(f"{view.job}: {output.state(view)}")
    raise typer.Exit(0 if view.ok else ENDED_OTHERWISE)
