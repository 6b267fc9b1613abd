"""What leaves the live views, and what is kept there: expiry and hold."""

from typing import Annotated

import typer

from ledger.service.cli import output
from ledger.service.cli.moments import LAST
from ledger.service.cli.output import Form, Output
from ledger.service.cli.records import receipt_json, said

PAGE_TREES = 50


def expiry(
    policy: Annotated[str, typer.Option(help="For trees planned without one: default, or hyperv.")] = "default",
    limit: Annotated[
        int | None, typer.Option(min=1, max=LAST, help="At most so many trees; a table shows 50 unless told.")
    ] = None,
    form: Output = Form.TABLE,
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Take out those whose time has come.")] = False,
) -> None:
    """Say what leaves the live views, and when.

    Those that leave first are in front. Nothing ever leaves history.
    """
    from ledger import open_ledger
    from ledger.domain.retention import PRESETS

    if policy not in PRESETS:
        raise typer.BadParameter(f"{policy!r} is none of {', '.join(PRESETS)}.", param_hint="--policy")
    with open_ledger() as ledger:
        if apply:
            trees = ledger.expire(PRESETS[policy], limit=limit)
        else:
            trees = ledger.expiry(PRESETS[policy], limit=limit or (None if form is Form.JSONL else PAGE_TREES))
        position = ledger.position()
    if form is Form.JSON:
        output.print_json({"applied": apply, "trees": [tree.as_json() for tree in trees], "position": position})
    elif form is Form.JSONL:
        output.print_jsonl(tree.as_json() for tree in trees)
    elif apply:
        output.say(f"{len(trees):,} trees with {sum(tree.jobs for tree in trees):,} jobs left the live views.")
    else:
        output.print_table(
            ("tree", "type", "actor", "jobs", "closed", "leaves", "on hold"),
            (
                (tree.root, tree.type, tree.actor or "–", str(tree.jobs), output.moment(tree.closed_at),
                 output.moment(tree.leaves_at), (tree.on_hold_by or "yes") if tree.on_hold else "–")
                for tree in trees
            ),
        )  # fmt: skip
        if limit is None and len(trees) == PAGE_TREES:
            output.note("There may be more: --limit shows so many, -o jsonl prints all.")


def hold(
    job: str,
    actor: Annotated[str | None, typer.Option(help="Who asks.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
    *,
    lift: Annotated[bool, typer.Option("--lift", help="Lift the hold instead.")] = False,
) -> None:
    """Keep a job, and so its tree, in the live views."""
    from ledger import open_ledger

    with open_ledger() as ledger:
        change = ledger.lift_hold if lift else ledger.hold
        output.print_json(receipt_json(change(job, **said(actor, reason))))
