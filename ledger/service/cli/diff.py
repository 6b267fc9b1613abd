"""What is different between two moments: the command `diff`."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import moments, output
from ledger.service.cli.output import Form, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.asking.difference import Diff, JobChange

NO_DIFFERENCE = 1


def diff(
    which: Annotated[
        str, typer.Argument(metavar="[FILTER]", help="Only these jobs, as they are at the later moment.")
    ] = "",
    *,
    from_: Annotated[str, typer.Option("--from", metavar="POSITION|TIME", help="The earlier moment.")],
    to: Annotated[
        str | None, typer.Option(metavar="POSITION|TIME", help="The later one; the end of the ledger unless told.")
    ] = None,
    form: Output = Form.TABLE,
) -> None:
    """Tell which jobs were opened, closed or changed between two moments, and which entities became busy or free.

    Moments read as for --as-of. A filter has terms that must all hold, as in history: type:T,T outcome:O entity:TYPE/ID
    actor:A owner:O executor:X job:JOB under:JOB is:MARK, where MARK is on_hold, expired, cancel_requested, contact_lost
    or residue. Exit 0 where there is a difference, 1 where there is none.
    """
    from ledger import open_ledger
    from ledger.asking.fitting import fitting

    with open_ledger() as ledger:
        earlier = moments.open_moment(ledger, from_)
        later = moments.open_moment(ledger, to if to is not None else str(ledger.position()))
        moments.catch_up(later)
        difference = earlier.diff(later, fitting(which, later))
    if form is Form.JSON:
        output.print_json(difference.as_json())
    elif form is Form.JSONL:
        output.print_jsonl(_lines(difference))
    else:
        output.note(f"From {earlier} to {later}.")
        output.print_table(("what", "job", "type", "before", "after"), _rows(difference))
    raise typer.Exit(NO_DIFFERENCE if difference.nothing else 0)


def _changes(difference: "Diff") -> "Iterator[tuple[str, JobChange]]":
    for what in ("opened", "closed", "changed"):
        for change in getattr(difference, what):
            yield what, change


def _rows(difference: "Diff") -> "Iterator[tuple[str, ...]]":
    for what, change in _changes(difference):
        before = output.state(change.before) if change.before else "–"
        yield what, change.after.job, change.after.type, before, output.state(change.after)
    for entity in difference.busy:
        yield "entity", str(entity), "", "free", "busy"
    for entity in difference.free:
        yield "entity", str(entity), "", "busy", "free"


def _lines(difference: "Diff") -> "Iterator[dict[str, object]]":
    for what, change in _changes(difference):
        yield {"what": what, **change.as_json()}
    for what in ("busy", "free"):
        for entity in getattr(difference, what):
            yield {"what": what, "entity": entity.model_dump()}
