"""What a ledger had acknowledged and no longer has: lost."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import output
from ledger.service.cli.output import Form, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.appending.losses import Loss
    from ledger.domain.cursor import Cursor

LOST = 6


def lost(
    kept: Annotated[
        list[str],
        typer.Argument(
            metavar="CURSOR|FILE|-",
            help="What was kept: POSITION:EVENTID, which receipts and watch have under cursor, or a file of such; "
            "- is stdin.",
        ),
    ],
    actor: Annotated[str | None, typer.Option(help="Who has looked at it.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it was lost.")] = None,
    form: Output = Form.TABLE,
    *,
    accept: Annotated[bool, typer.Option("--accept", help="Put on record that it was looked at.")] = False,
) -> None:
    """Say what the ledger had acknowledged and no longer has, since it was restored or failed over with loss.

    Exit 6 where something is lost, unless that is accepted.
    """
    from ledger import open_ledger

    cursors = list(_read(kept))
    with open_ledger() as ledger:
        loss = ledger.accept_loss(cursors, actor=actor, reason=reason) if accept else ledger.lost(cursors)
    if form is Form.TABLE:
        _print(loss, len(cursors), accepted=accept)
    else:
        output.print_json(loss.as_json())
    raise typer.Exit(LOST if loss and not accept else 0)


def _read(kept: "Sequence[str]") -> "Iterator[Cursor]":
    from contextlib import ExitStack

    from ledger.domain.cursor import parse_cursor
    from ledger.service.cli.source import open_source

    for word in kept:
        if re.match(r"[0-9]+(:|$)", word):
            yield parse_cursor(word)
            continue
        with ExitStack() as stack:
            yield from (_of_line(line) for line in open_source(word, stack).whole() if line.strip())


def _of_line(line: bytes) -> "Cursor":
    from ledger.domain.commands import parse_json
    from ledger.domain.cursor import parse_cursor
    from ledger.errors import MalformedCursor

    if not line.lstrip().startswith(b"{"):
        return parse_cursor(line.decode(errors="replace").strip())
    cursor = parse_json(line).get("cursor")
    if not isinstance(cursor, str):
        raise MalformedCursor(f"A receipt must have its place under cursor, and this has none: {line[:80]!r}.")
    return parse_cursor(cursor)


def _print(loss: "Loss", kept: int, *, accepted: bool) -> None:
    if not loss:
        output.say(f"Nothing is lost of {output.counted(kept, 'cursor')}; the ledger ends at {loss.end.text}.")
        return
    for cursor in loss.cursors:
        output.say(f"The ledger no longer has {cursor.text}.")
    output.say(f"It ends at {loss.end.text}.")
    output.note("That is on record now." if accepted else "--accept puts on record that this was looked at.")
