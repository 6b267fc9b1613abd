"""Transition records in: import, record, cancel."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Self

import typer

from ledger.service.cli import output
from ledger.service.cli.output import Form, Output

if TYPE_CHECKING:
    from ledger.importer import ImportSummary, Overlap, Rejected
    from ledger.store.recorder import Receipt


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Transition records, plain or .gz; - is stdin.")],
    rejects: Annotated[Path | None, typer.Option(help="Write what could not be taken to this file.")] = None,
    overlaps: Annotated[Path | None, typer.Option(help="Write which jobs ran beside which to this file.")] = None,
    form: Output = Form.TABLE,
    *,
    admit: Annotated[bool, typer.Option("--admit", help="Ask admission instead of counting overlaps.")] = False,
) -> None:
    """Record what has already happened, from a file.

    A transition record a line; a line that cannot be taken never stops the rest, and exit 1 tells that there was one.
    """
    from ledger import open_ledger

    _check_outputs(file, rejects, overlaps, admit=admit)
    with ExitStack() as stack:
        source, size = open_source(file, stack)
        keep = stack.enter_context(rejects.open("wb")) if rejects else None
        seen = _Rejects(keep)
        met = _Overlaps(stack.enter_context(overlaps.open("wb")) if overlaps else None)
        ledger = stack.enter_context(open_ledger())
        on_page = stack.enter_context(_Bar(source, size))
        summary = ledger.import_records(
            lines(source.stream),
            admit=admit,
            on_reject=seen.take,
            on_overlap=met.take,
            on_page=on_page,
        )
    if form is Form.TABLE:
        _print_summary(summary)
    else:
        output.print_json(summary.as_json())
    met.explain()
    if summary.rejected:
        seen.explain()
        raise typer.Exit(1)


def _check_outputs(file: str, rejects: Path | None, overlaps: Path | None, *, admit: bool) -> None:
    if overlaps and admit:
        raise typer.BadParameter("With --admit nothing overlaps, for it is refused.", param_hint="--overlaps")
    told = [path for path in (rejects, overlaps) if path is not None]
    known = [path.resolve() for path in told] + ([Path(file).resolve()] if file != "-" else [])
    if len(set(known)) < len(known):
        raise typer.BadParameter("What is imported, rejected and overlapping must be in files of their own.")


class Source:
    """What is imported, and how much of its file has been read."""

    def __init__(self, stream: IO[bytes], raw: IO[bytes]) -> None:
        self.stream = stream
        self.raw = raw


def open_source(file: str, stack: ExitStack) -> tuple[Source, int | None]:
    """A file, or stdin for `-`, unpacked where it is gzip; with its size, where that is known."""
    raw: IO[bytes] = sys.stdin.buffer
    if file != "-":
        raw = stack.enter_context(Path(file).open("rb"))  # noqa: SIM115 - the stack closes it
    size = None if file == "-" else Path(file).stat().st_size
    buffered: Any = raw
    if buffered.peek(2)[:2] == b"\x1f\x8b":
        import gzip

        return Source(stack.enter_context(gzip.open(raw, "rb")), raw), size  # type: ignore[arg-type]
    return Source(raw, raw), size


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines, one of them never longer than a limit: what is beyond it is passed over with its line."""
    import zlib
    from gzip import BadGzipFile

    from ledger.domain.values import LINE_BYTES_MAX
    from ledger.errors import MalformedRecord

    try:
        while line := stream.readline(LINE_BYTES_MAX + 1):
            yield line
            while len(line) > LINE_BYTES_MAX and not line.endswith(b"\n"):
                line = stream.readline(LINE_BYTES_MAX + 1)
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedRecord(f"The file must be whole gzip, and this ends early or is damaged: {error}.") from None


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
            said = {
                "line": rejected.number,
                "code": rejected.error.code,
                "message": str(rejected.error),
                "record": line,
            }
            self._file.write(json.dumps(said, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")

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
            said = {"line": overlap.number, "job": overlap.job, "entity": other.entity, "beside": other.job}
            said |= {"count": overlap.count} if overlap.count > len(overlap.beside) else {}
            if len(self._first) < 3:  # noqa: PLR2004 - three are shown
                self._first.append(said)
            if self._file:
                self._file.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def explain(self) -> None:
        for said in self._first:
            output.note("line {line}: job {job} runs beside {beside} on {entity}".format_map(said))


class _Bar:
    """A progress bar over the bytes of the file, on a terminal only."""

    def __init__(self, source: Source, size: int | None) -> None:
        self._source = source
        self._size = size
        self._shown: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("importing"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            self._shown = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._shown.add_task("", total=self._size)
            self._shown.start()
        return self

    def __call__(self, summary: "ImportSummary") -> None:
        if self._shown:
            read = self._source.raw.tell() if self._size is not None else None
            self._shown.update(self._task, completed=read, description=f"{summary.read:,} lines")

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._shown.stop()


def _print_summary(summary: "ImportSummary") -> None:
    print(
        f"{summary.read:,} lines read: {summary.recorded:,} events recorded; {summary.unchanged:,} lines unchanged, "
        f"{summary.late:,} late, {summary.rejected:,} rejected, {summary.overlaps:,} overlapping; "
        f"the ledger is at position {summary.position:,}."
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
        "position": receipt.position,
    }
