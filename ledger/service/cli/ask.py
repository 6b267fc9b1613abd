"""Questions: show, tree, list, busy."""

import json
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import moments, output
from ledger.service.cli.moments import LAST, AsOfOption, Occurred
from ledger.service.cli.output import Form, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.asking.answers import BusyAnswer, JobView

PAGE_JOBS = 50


def show(job: str, as_of: AsOfOption = None, form: Output = Form.TABLE, *, occurred: Occurred = False) -> None:
    """Show one job in full, expired or not."""
    with moments.asked(as_of, occurred=occurred, of_one=True) as asked:
        view = asked.job(job)
    if form is not Form.TABLE:
        output.print_json(view.as_json())
        return
    _print_job(view)


def _print_job(job: "JobView") -> None:
    fields = job.as_json()
    hidden = {
        "job",
        "type",
        "done",
        "ok",
        "flags",
        "phase",
        "outcome",
        "progress",
        "planned_position",
        "elapsed_seconds",
        "entities",
    }
    rows = [("job", job.job), ("type", job.type), ("state", output.state(job)), ("progress", output.progress(job))]
    rows += [("elapsed", output.span(job.elapsed_seconds))]
    rows += [(entity["role"], f"{entity['type']}/{entity['id']} ({entity['access']})") for entity in job.entities]
    rows += [
        (name, _text(value))
        for name, value in fields.items()
        if name not in hidden and value not in (None, [], {}, False)
    ]
    output.print_table(("", "value"), [(name.replace("_", " "), value) for name, value in rows])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tree(job: str, as_of: AsOfOption = None, form: Output = Form.TABLE, *, occurred: Occurred = False) -> None:
    """Show a job and all below it."""
    with moments.asked(as_of, occurred=occurred) as asked:
        jobs = asked.tree(job)
    if form is Form.JSON:
        output.print_json({"root": job, "jobs": [view.as_json() for view in jobs]})
    elif form is Form.JSONL:
        output.print_jsonl(view.as_json() for view in jobs)
    else:
        output.print_table(("job", "type", "state", "progress", "elapsed"), _tree_rows(jobs))


def _tree_rows(jobs: "Sequence[JobView]") -> list[tuple[str, ...]]:
    below: dict[str | None, list[JobView]] = {}
    for view in jobs:
        below.setdefault(view.parent, []).append(view)

    def rows(view: "JobView", lead: str, mark: str) -> list[tuple[str, ...]]:
        line = (lead + mark + view.job, view.type, output.state(view), output.progress(view))
        lines: list[tuple[str, ...]] = [(*line, output.span(view.elapsed_seconds))]
        children = below.pop(view.job, [])  # once, for a row that is no plan may name itself
        inner = lead + {"": "", "├─ ": "│  ", "└─ ": "   "}[mark]
        for child in children:
            lines += rows(child, inner, "└─ " if child is children[-1] else "├─ ")
        return lines

    return rows(jobs[0], "", "")


def list_(
    phase: Annotated[str | None, typer.Option(help="Only jobs in this phase.")] = None,
    outcome: Annotated[str | None, typer.Option(help="Only jobs that ended so.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only jobs of this type.")] = None,
    entity: Annotated[str | None, typer.Option(help="Only jobs that touch this entity, TYPE/ID.")] = None,
    root: Annotated[str | None, typer.Option(help="Only jobs of this tree.")] = None,
    silent_for: Annotated[
        str | None, typer.Option(help="Only active jobs without a word for so long, as in 90s, 15m, 2h, 1d.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=LAST, help="At most so many; a table shows 50 unless told.")
    ] = None,
    before: Annotated[
        int | None, typer.Option(min=0, max=LAST, help="Go on from the number that the last page ended with.")
    ] = None,
    as_of: AsOfOption = None,
    form: Output = Form.TABLE,
    *,
    occurred: Occurred = False,
    active: Annotated[bool, typer.Option("--active", help="Only jobs that keep their entities busy.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only open jobs past their deadline.")] = False,
    expired: Annotated[bool, typer.Option("--expired", help="Also jobs that have left the live views.")] = False,
) -> None:
    """List jobs in the live views, the last planned first; with --as-of, those that were active."""
    from ledger import JobFilter
    from ledger.domain.entities import EntityRef
    from ledger.domain.states import Outcome, Phase

    which = JobFilter(
        phase=_word(phase, Phase, "--phase"),
        outcome=_word(outcome, Outcome, "--outcome"),
        type=kind,
        entity=EntityRef.parse(entity) if entity is not None else None,
        root=root,
        active=active,
        overdue=overdue,
        silent_for=moments.span(silent_for),
        expired=expired,
    )
    if as_of is not None and not (active or overdue or silent_for):
        raise typer.BadParameter("With --as-of, list tells which jobs were active: say --active.")
    with moments.asked(as_of, occurred=occurred) as asked:
        jobs = asked.jobs(which, before=before, limit=limit)
        if form is Form.JSONL:
            output.print_jsonl(view.as_json() for view in jobs)
            return
        size = limit or PAGE_JOBS
        page = list(islice(jobs, size))
        position = asked.reached()
    if form is Form.JSON:
        after = page[-1].planned_position if len(page) == size else None
        output.print_json({"jobs": [view.as_json() for view in page], "before": after, "position": position})
        return
    output.print_jobs(page)
    if len(page) == size:
        output.note(f"There may be more: --before {page[-1].planned_position} goes on, -o jsonl prints all.")


def _word(value: str | None, words: type, option: str) -> str | None:
    known = [str(word) for word in words]  # type: ignore[attr-defined]
    if value is not None and value not in known:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(known)}.", param_hint=option)
    return value


def busy(
    entities: Annotated[list[str], typer.Argument(metavar="TYPE/ID...")],
    would: Annotated[
        str | None, typer.Option(metavar="ACCESS", help="Only jobs in the way of a plan: exclusive or shared.")
    ] = None,
    besides: Annotated[str | None, typer.Option(metavar="JOB", help="Only jobs outside the tree of this job.")] = None,
    as_of: AsOfOption = None,
    form: Output = Form.TABLE,
    *,
    occurred: Occurred = False,
) -> None:
    """List every active job on entities, oldest first.

    Exit 0 where any is busy, 1 where all are free.
    """
    with moments.asked(as_of, occurred=occurred) as asked:
        answers = asked.busy_all(entities, would=would, besides=besides)
    if form is Form.JSON and len(answers) == 1:
        output.print_json(answers[0].as_json())
    elif form is Form.JSON:
        output.print_json([answer.as_json() for answer in answers])
    elif form is Form.JSONL:
        output.print_jsonl(answer.as_json() for answer in answers)
    else:
        _print_busy(answers, "is" if as_of is None else "was")
    raise typer.Exit(0 if any(answer.busy for answer in answers) else 1)


def _print_busy(answers: "Sequence[BusyAnswer]", verb: str) -> None:
    columns = ("job", "type", "state", "role", "access", "progress", "planned")
    for answer in answers:
        free, busy = ("would be free", "would meet") if answer.would else (f"{verb} free", f"{verb} busy with")
        if not answer.busy:
            output.say(f"{answer.entity} {free}.")
            continue
        output.say(f"{answer.entity} {busy} {len(answer.jobs):,}:")
        rows = (
            (job.job, job.type, output.state(job), *_holds(answer, job), output.progress(job),
             output.moment(job.planned_at))
            for job in answer.jobs
        )  # fmt: skip
        output.print_table(columns, rows)


def _holds(answer: "BusyAnswer", job: "JobView") -> tuple[str, str]:
    ref = (answer.entity.type, answer.entity.id)
    held = [entity for entity in job.entities if (entity["type"], entity["id"]) == ref]
    return ", ".join(entity["role"] for entity in held), ", ".join(dict.fromkeys(entity["access"] for entity in held))
