"""Transition records in: import, record, cancel."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Self

import typer

from ledger.service.cli import output
from ledger.service.cli.output import Form, Output
from ledger.service.cli.source import Source, open_source
from ledger.service.cli.terminal import unguarded
from ledger.service.wire import exit_code

if TYPE_CHECKING:
    from ledger.domain.receipt import Receipt
    from ledger.errors import FileDamaged
    from ledger.records.importer import ImportSummary, Overlap, Rejected


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Transition records, plain or .gz; - is stdin.")],
    rejects: Annotated[Path | None, typer.Option(help="Write what could not be taken to this file.")] = None,
    overlaps: Annotated[Path | None, typer.Option(help="Write which jobs ran beside which to this file.")] = None,
    form: Output = Form.TABLE,
    *,
    admit: Annotated[bool, typer.Option("--admit", help="Ask admission instead of counting overlaps.")] = False,
) -> None:
    """Record what has already happened, from a file.

    A transition record a line; a line that cannot be taken never stops the rest, and exit 1 tells that there was one,
    exit 2 that the file itself ends early or is damaged.
    """
    from ledger import open_ledger
    from ledger.errors import LedgerError

    _check_outputs(file, rejects, overlaps, admit=admit)
    stopped = None
    with ExitStack() as stack:
        source = open_source(file, stack)
        keep = stack.enter_context(rejects.open("wb")) if rejects else None
        seen = _Rejects(keep)
        met = _Overlaps(stack.enter_context(overlaps.open("wb")) if overlaps else None)
        ledger = stack.enter_context(open_ledger())
        tally = stack.enter_context(_Tally(source))
        try:
            ledger.import_records(
                source.lines(), admit=admit, on_reject=seen.take, on_overlap=met.take, on_page=tally.take
            )
        except LedgerError as error:
            stopped = error
    tally.print(form)
    met.explain()
    seen.explain()
    if stopped is not None:
        output.note("The import stopped; repeat it, from the start: what is on record is unchanged.")
        raise stopped
    if source.damage is not None:
        output.note(_go_on(source.damage))
        raise typer.Exit(exit_code(source.damage))
    if tally.summary.rejected:
        raise typer.Exit(1)


def _go_on(damage: "FileDamaged") -> str:
    return (
        f"{damage} What came before is taken; mend the file, and import it from line {damage.facts['line'] + 1:,}, "
        "or from the start: what is on record is unchanged."
    )


def _check_outputs(file: str, rejects: Path | None, overlaps: Path | None, *, admit: bool) -> None:
    if overlaps and admit:
        raise typer.BadParameter("With --admit nothing overlaps, for it is refused.", param_hint="--overlaps")
    paths = [path for path in (rejects, overlaps) if path is not None]
    known = [path.resolve() for path in paths] + ([Path(file).resolve()] if file != "-" else [])
    if len(set(known)) < len(known):
        raise typer.BadParameter("What is imported, rejected and overlapping must be in files of their own.")


class _Rejects:
    """Keeps what could not be taken: a JSON object a line, with line number, code, message and the line itself."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._first: list[Rejected] = []

    def take(self, rejected: "Rejected") -> None:
        if len(self._first) < 3:  # noqa: PLR2004 - three are shown
            self._first.append(rejected)
        if self._file:
            line = rejected.line.decode(errors="backslashreplace").rstrip("\n")
            fields = {
                "line": rejected.number,
                "code": rejected.error.code,
                "message": str(rejected.error),
                "record": line,
            }
            self._file.write(json.dumps(fields, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")

    def explain(self) -> None:
        for rejected in self._first:
            output.note(f"line {rejected.number}: {rejected.error}")


class _Overlaps:
    """Keeps which jobs ran beside which: a JSON object a pair, with line number, job, entity and the other job.

    Where a line met more than are named, each pair of it says how many.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._first: list[dict[str, Any]] = []

    def take(self, overlap: "Overlap") -> None:
        for other in overlap.beside:
            fields = {"line": overlap.number, "job": overlap.job, "entity": other.entity, "beside": other.job}
            fields |= {"count": overlap.count} if overlap.count > len(overlap.beside) else {}
            if len(self._first) < 3:  # noqa: PLR2004 - three are shown
                self._first.append(fields)
            if self._file:
                self._file.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")

    def explain(self) -> None:
        for overlap in self._first:
            output.note("line {line}: job {job} runs beside {beside} on {entity}".format_map(overlap))


class _Tally:
    """What was imported so far, with a progress bar over the bytes of the file, on a terminal only."""

    def __init__(self, source: Source) -> None:
        from ledger.records.importer import ImportSummary

        self.summary = ImportSummary()
        self._source = source
        self._shown: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("importing"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            screen = Console(file=unguarded(sys.stderr))
            self._shown = Progress(
                *columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._task = self._shown.add_task("", total=self._source.size_bytes)
            self._shown.start()
        return self

    def take(self, summary: "ImportSummary") -> None:
        """Take in what an import tells after a page."""
        self.summary = summary
        if self._shown:
            self._shown.update(self._task, completed=self._source.read_bytes(), description=f"{summary.read:,} lines")

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._shown.stop()

    def print(self, form: Form) -> None:
        """Print what it came to."""
        it = self.summary
        if form is not Form.TABLE:
            output.print_json(it.as_json())
            return
        output.say(
            f"{it.read:,} lines read: {it.recorded:,} events recorded; {it.unchanged:,} lines unchanged, "
            f"{it.late:,} late, {it.rejected:,} rejected, {it.overlaps:,} overlapping; "
            f"the ledger is at position {it.position:,}."
        )


def record(record: Annotated[str, typer.Argument(metavar="JSON|-", help="One transition record; - is stdin.")]) -> None:
    """Record one transition."""
    from ledger import open_ledger

    text: str | bytes = sys.stdin.buffer.read() if record == "-" else record
    with open_ledger() as ledger:
        output.print_json(receipt_json(ledger.record(text)))


def cancel(
    job: str,
    actor: Annotated[str | None, typer.Option(help="Who asks.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Ask that a job and all active jobs below it be cancelled."""
    from ledger import open_ledger

    with open_ledger() as ledger:
        output.print_json(receipt_json(ledger.cancel(job, **said(actor, reason))))


def said(actor: str | None, reason: str | None) -> Any:
    """Who and why, where they were given."""
    return {name: value for name, value in (("actor", actor), ("reason", reason)) if value is not None}


def receipt_json(receipt: "Receipt") -> dict[str, Any]:
    """A receipt under the names that every face uses."""
    return {
        "disposition": str(receipt.disposition),
        "job": receipt.job,
        "version": receipt.version,
        "position": int(receipt.position),
        "cursor": receipt.position.text,
    }
