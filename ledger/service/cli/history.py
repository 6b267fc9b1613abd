"""All of history, by one filter: the command `history`."""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.service.cli import moments, output
from ledger.service.cli.moments import LAST, After, AsOfOption, Occurred
from ledger.service.cli.output import Form, Output
from ledger.service.wire import event_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.application import Ledger
    from ledger.asking.moment import Past
    from ledger.asking.search import Durations, HistoryEntry, HistoryPage, Search

PAGE_ENTRIES = 50
BLOCKERS_SHOWN = 3
EVIDENCE_SHOWN = 120  # characters of it in a table

FilterArgument = Annotated[
    str | None,
    typer.Argument(metavar="[JOB | FILTER]", help="Terms like type:T, all of which must hold; or the id of a job."),
]


def history(
    which: FilterArgument = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=LAST, help="At most so many; a table shows 50 unless told.")
    ] = None,
    before: Annotated[
        int | None, typer.Option(min=0, max=LAST, metavar="POSITION", help="Only what stands before it.")
    ] = None,
    after: After = None,
    as_of: AsOfOption = None,
    form: Output = Form.TABLE,
    *,
    occurred: Occurred = False,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first, not the newest.")] = False,
    durations: Annotated[bool, typer.Option("--durations", help="How long jobs took, by outcome, instead.")] = False,
) -> None:
    """Search the events of all jobs; with the id of a job, print the events of that one in order, from --after on.

    A space is AND, a comma OR, a minus before a term NOT; a value with a space or a comma stands in double quotes.
    type:T,T outcome:O event:E is:MARK job:JOB under:JOB entity:TYPE/ID actor:A owner:O executor:X before:TIME
    after:TIME occurred:FROM..TO position:N..M text:"WORDS", where TIME is 2026-11-01, 2026-11-01T03:12:00Z or -2h,
    before and after are about when the ledger recorded it, and text: needs a narrower term beside it. Marks are
    on_hold, expired, disputed, cancel_requested, contact_lost, residue, verdict (of recovery) and revised (later).
    """
    from ledger import open_ledger
    from ledger.domain.filters import Filter, Term, TermKey

    searched = oldest or durations or before is not None or (limit is not None and after is None)
    place = moments.place(after)
    with open_ledger() as ledger:
        ledger.check_place(place)
        if which and ":" not in which and not searched:
            _print_job(moments.then(ledger, as_of, occurred=occurred), which, place or 0, limit, form)
            return
        if occurred:
            raise typer.BadParameter(
                "--occurred is for the history of one job; a search has the term occurred: for it."
            )
        asked = Filter((Term(TermKey.JOB, (which,)),)) if which and ":" not in which else which or ""
        upto = None if as_of is None else moments.open_moment(ledger, as_of).position
        search = ledger.search(asked, tell=output.catching_up("The view history is"), upto=upto)
        if search.by_time:
            _note_clock(ledger)
        if durations:
            _print_durations(search, form)
        elif form is Form.JSONL:
            found_page = search.entries(before=before, after=place, oldest=oldest, limit=limit)
            output.print_jsonl(_entry_json(entry) for entry in found_page)
        else:
            page = search.page(before=before, after=place, oldest=oldest, limit=limit or PAGE_ENTRIES)
            _print_page(search, page, form, oldest=oldest)


def _note_clock(ledger: "Ledger") -> None:
    from ledger.errors import MomentNotFound

    with suppress(MomentNotFound):  # nothing was recorded yet, by the clock as it is
        if ahead := moments.open_moment(ledger, "-0s").ahead:
            output.note(f"It is asked by the times of recording; {ahead}.")


def _print_job(asked: "Ledger | Past", job: str, after: int, limit: int | None, form: Form) -> None:
    if form is Form.JSONL:
        asked.history(job, after=after, limit=1)  # one that is not on record is told before anything is printed
        output.print_jsonl(event_json(entry) for entry in islice(asked.events(after, job=job), limit))
        return
    size = min(limit or PAGE_ENTRIES, LAST - 1)
    events = asked.history(job, after=after, limit=size + 1)
    page = events[:size]
    last = page[-1].position if len(events) > size else None
    if form is Form.JSON:
        output.print_json({"job": job, "events": [event_json(entry) for entry in page], "after": last})
        return
    output.print_table(
        ("position", "occurred", "event", "actor", "reason", "said"),
        (
            (str(entry.position), output.moment(entry.event.occurred_at), entry.event.name,
             entry.event.actor or "–", entry.event.reason or "–", output.event_said(entry))
            for entry in page
        ),
    )  # fmt: skip
    if last is not None:
        output.note(f"There are more: --after {last} goes on, -o jsonl prints all.")


def _entry_json(entry: "HistoryEntry") -> dict[str, Any]:
    return event_json(entry.entry) | {"then": entry.as_json()}


def _print_page(search: "Search", page: "HistoryPage", form: Form, *, oldest: bool) -> None:
    last = page.entries[-1].position if page.more else None
    onward = "after" if oldest else "before"
    if form is Form.JSON:
        entries = [_entry_json(entry) for entry in page.entries]
        answer = {"filter": str(search.filter), "entries": entries, onward: last, "position": page.position}
        output.print_json(answer)
        return
    output.print_table(("when", "who", "why", "job", "type", "event", "entities", "said"), _rows(page.entries))
    output.note(f"This is true up to position {page.position:,}.")
    if last is not None:
        output.note(f"There may be more: --{onward} {last} goes on, -o jsonl prints all.")


def _rows(entries: "Iterable[HistoryEntry]") -> "Iterable[tuple[str, ...]]":
    for entry in entries:
        event = entry.entry.event
        yield (
            output.moment(event.occurred_at),
            event.actor or (f"({entry.actor})" if entry.actor else "–"),
            event.reason or "–",
            event.job,
            entry.type or "–",
            event.name,
            output.names(map(str, entry.entities)) or "–",
            _said(entry) or "–",
        )


def _said(entry: "HistoryEntry") -> str:
    """What an event says, in the few words that answer who, what and why not."""
    record = event_json(entry.entry)
    report = record.get("report", {}) if record["event"] == "late" else record
    words = [f"{record['because']}: {report['event']}"] if record["event"] == "late" else []
    words += _blockers(record)
    words += [report["outcome"]] if report.get("outcome") else []
    words += [str(report["error"][name]) for name in ("code", "message") if report.get("error", {}).get(name)]
    words += [far for far in [output.how_far(report)] if far]
    words += [f"{name} {report[name]}" for name in ("executor", "external_id") if report.get(name)]
    words += [_brief(report["evidence"])] if report.get("evidence") is not None else []
    words += [f"after {output.span(entry.seconds)}"] if entry.seconds is not None else []
    words += [f"revised at position {entry.revised:,}"] if entry.revised else []
    return ", ".join(words)


def _brief(evidence: Any) -> str:
    text = evidence if isinstance(evidence, str) else json.dumps(evidence, ensure_ascii=False)
    return text if len(text) <= EVIDENCE_SHOWN else f"{text[:EVIDENCE_SHOWN]}…"


def _blockers(record: Mapping[str, Any]) -> list[str]:
    """The first jobs in the way of a plan that was refused, and how many more there were."""
    blockers = record.get("blockers", [])
    more = record.get("count", len(blockers)) - BLOCKERS_SHOWN
    return [*map(_blocker, blockers[:BLOCKERS_SHOWN]), *([f"and {more:,} more"] if more > 0 else [])]


def _blocker(blocker: Any) -> str:
    """A job in the way; an import may bring refusals whose blockers are told otherwise."""
    if not isinstance(blocker, dict) or not isinstance(blocker.get("entity"), dict):
        return f"blocked by {blocker}"
    entity = blocker["entity"]
    limit = f", at most {blocker['limit']['at_most']}" if blocker.get("limit") else ""
    owner = f", {blocker['owner']}" if blocker.get("owner") else ""
    return f"blocked by {blocker.get('job')} on {entity.get('type')}/{entity.get('id')}{limit}{owner}"


def _print_durations(search: "Search", form: Form) -> None:
    by_outcome, position = search.durations()
    if form is Form.JSON:
        durations = [duration.as_json() for duration in by_outcome]
        output.print_json({"filter": str(search.filter), "durations": durations, "position": position})
    elif form is Form.JSONL:
        output.print_jsonl(duration.as_json() for duration in by_outcome)
    else:
        columns = ("outcome", "jobs", "timed", "p50", "p95", "max")
        output.print_table(columns, map(_duration_row, by_outcome))
        output.note(f"This is true up to position {position:,}.")


def _duration_row(durations: "Durations") -> tuple[str, ...]:
    spans = (output.span(seconds) for seconds in (durations.p50, durations.p95, durations.max))
    return (durations.outcome or "all", f"{durations.jobs:,}", f"{durations.timed:,}", *spans)
