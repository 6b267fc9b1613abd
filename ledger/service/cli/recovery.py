"""What a dead engine left behind: recover, resolve, dispute."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.service.cli import output
from ledger.service.cli.output import Form, Output
from ledger.service.cli.records import receipt_json, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.asking.answers import OwnerView
    from ledger.executors.taskfile import ListedExecutor
    from ledger.recovery.proposal import RecoveryPlan

FOUND_WORK = 7
UNASKED_MAX = 100  # verdicts that are written without --yes


def recover(
    owner: Annotated[str | None, typer.Option(help="Only jobs of this owner.")] = None,
    job: Annotated[str | None, typer.Option(help="Only this job and all below it.")] = None,
    fence: Annotated[
        list[str] | None,
        typer.Option(metavar="OWNER", help="Fence an owner that never returns; --owner alone narrows to its jobs."),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|-",
            help="What executors know, plain or .gz, a line a task: executor, external_id, token, state, percent, "
            'error, raw; {"executor": …, "complete": true} closes a listing of all tasks ever given; - is stdin.',
        ),
    ] = None,
    speak_as: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="OWNER", help="Answer for what stays, as this owner; who is then live until it is fenced."
        ),
    ] = None,
    form: Output = Form.TABLE,
    *,
    adopt: Annotated[bool, typer.Option("--adopt", help="Put every task on record that no job accounts for.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="First prove that the views equal the events; exit 6 where they do not.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help=f"Write more than {UNASKED_MAX} verdicts, too.")] = False,
) -> None:
    """Say what became of jobs that nobody answers for.

    Those that a fenced owner left behind, and those without owner; never those of a live owner. Where nothing is known
    of an executor, what it ran becomes unknown. Nothing is written without --apply; exit 7 where there is something to
    write, or where --apply could not write all of it.
    """
    from ledger import open_ledger
    from ledger.recovery.proposal import Scope
    from ledger.recovery.reconcile import Recovery

    executors = _read_tasks(tasks or [])
    if compare:
        _compare()
    scope = Scope(owner=owner, job=job, fence=tuple(fence or ()), adopt=adopt)
    with ExitStack() as stack:
        recovery = Recovery(stack.enter_context(open_ledger()), executors, as_owner=speak_as)
        if apply and yes:
            plan = recovery.apply(scope)
        else:
            plan = recovery.plan(scope)
            if apply:
                _ask_first(plan)
                plan = recovery.apply(scope, plan)
    _print(plan, form)
    raise typer.Exit(FOUND_WORK if plan.work else 0)


def _ask_first(plan: "RecoveryPlan") -> None:
    """Let nobody write a verdict about half of a fleet by one slip."""
    if len(plan.verdicts) > UNASKED_MAX:
        raise typer.BadParameter(
            f"{len(plan.verdicts):,} verdicts would be written, which is more than {UNASKED_MAX}: look at them without "
            "--apply, then add --yes."
        )


def _read_tasks(names: "Sequence[str]") -> "list[ListedExecutor]":
    from ledger.executors.taskfile import read_tasks
    from ledger.service.cli.source import open_source

    with ExitStack() as stack:
        sources = [open_source(name, stack) for name in names]
        return read_tasks({source.name: source.whole() for source in sources})


def _compare() -> None:
    from ledger.errors import ViewsDiffer
    from ledger.service.assembly import compare_views

    differing = {view: rows for view, rows in compare_views().items() if rows}
    if differing:
        names = ", ".join(f"{view} ({rows:,} rows)" for view, rows in differing.items())
        raise ViewsDiffer(
            f"The views must equal the events, and {names} do not; run jobledger projections rebuild.", views=differing
        )


def _print(plan: "RecoveryPlan", form: Form) -> None:
    from ledger.recovery.orphans import job_of

    if form is Form.JSON:
        output.print_json(plan.as_json())
    elif form is Form.JSONL:
        output.print_jsonl(verdict.as_json() for verdict in plan.verdicts)
    else:
        if plan.verdicts:
            print_verdicts(plan)
        for task in plan.orphans:
            adopted = f"; {job_of(task)} {'adopts' if plan.applied else 'would adopt'} it" if plan.adopting else ""
            output.say(f"No job accounts for the task {task}, which is {task.state}{adopted}.")
    _print_notes(plan)


def print_verdicts(plan: "RecoveryPlan") -> None:
    """A table of verdicts, leaves first."""
    rows = (
        (it.word, it.job, it.about.type, it.about.outcome or it.about.phase, it.reason)
        for it in plan.verdicts
        if it.about
    )
    output.print_table(("verdict", "job", "type", "was", "reason"), rows)


def _print_notes(plan: "RecoveryPlan") -> None:
    for owner in plan.owners:
        if owner.state == "lapsed" and owner.owner not in plan.fences:
            output.note(_lapsed(owner))
    for job, error in plan.errors.items():
        output.note(f"{job}: {error}")
    for name in plan.fences:
        output.note(f"{name} {'is' if plan.applied else 'would be'} fenced.")
    if plan.applied:
        output.note(f"{plan.written:,} {'event is' if plan.written == 1 else 'events are'} written.")
    elif plan.work:
        output.note("Nothing is written yet; --apply writes it.")
    elif not plan.verdicts and not plan.orphans:
        output.note("Nothing is left behind.")


def _lapsed(owner: "OwnerView") -> str:
    since = output.moment(owner.lease_ends_at)
    return (
        f"The lease of {owner.owner}, epoch {owner.epoch}, ran out at {since}, and it answers for {owner.jobs:,} jobs; "
        f"--fence {owner.owner} if it never returns."
    )


Evidence = Annotated[str | None, typer.Option(help="What shows it: JSON, or words.")]
Actor = Annotated[str | None, typer.Option(help="Who found it out.")]
Reason = Annotated[str | None, typer.Option(help="Why.")]


def resolve(
    job: str,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="succeeded, failed, cancelled or abandoned.")],
    evidence: Evidence = None,
    actor: Actor = None,
    reason: Reason = None,
) -> None:
    """Say what became of a job that was closed as unknown.

    Evidence or a reason must be given.
    """
    from ledger import open_ledger

    shown = _shown(evidence, reason)
    with open_ledger() as ledger:
        output.print_json(receipt_json(ledger.resolve(job, outcome, shown, **said(actor, reason))))


def dispute(
    job: str,
    outcome: Annotated[str | None, typer.Option(help="What the outcome should have been.")] = None,
    evidence: Evidence = None,
    actor: Actor = None,
    reason: Reason = None,
) -> None:
    """Put evidence beside an outcome, which stands.

    Evidence or a reason must be given.
    """
    from ledger import open_ledger

    shown = _shown(evidence, reason)
    fields = {"outcome": outcome} if outcome is not None else {}
    with open_ledger() as ledger:
        output.print_json(receipt_json(ledger.dispute(job, shown, **fields, **said(actor, reason))))


def _shown(evidence: str | None, reason: str | None) -> Any:
    """What shows it: JSON where it begins as JSON, else the words, else the reason."""
    from ledger.domain.commands import parse_json
    from ledger.errors import MalformedRecord

    if not (evidence or reason):
        raise typer.BadParameter("Say what shows it, with --evidence or --reason.")
    if not evidence:
        return reason
    if evidence.lstrip()[:1] not in ("{", "["):
        return evidence
    try:
        return parse_json(evidence)
    except MalformedRecord as error:
        raise typer.BadParameter(f"What begins as JSON must be JSON: {error}", param_hint="--evidence") from None
