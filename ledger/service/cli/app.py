"""The commands, put together: each is imported when it is called, for most need what the others do not."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

COMMANDS = {
    "demo": "demo.demo",
    "import": "records.import_",
    "export": "integrity.export",
    "record": "records.record",
    "cancel": "records.cancel",
    "show": "ask.show",
    "tree": "ask.tree",
    "list": "ask.list_",
    "busy": "ask.busy",
    "history": "history.history",
    "diff": "diff.diff",
    "watch": "feed.watch",
    "wait": "feed.wait",
    "expiry": "retention.expiry",
    "hold": "retention.hold",
    "recover": "recovery.recover",
    "resolve": "recovery.resolve",
    "dispute": "recovery.dispute",
    "seal": "integrity.seal",
    "verify": "integrity.verify",
    "verify-export": "integrity.verify_export",
    "migrate": "database.migrate",
    "doctor": "database.doctor",
    "projections": "database.projections",
    "pg": "database.pg",
}


class Commands(TyperGroup):
    """Commands by their names, in the order in which help lists them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name) for name in COMMANDS}  # what is suggested for a name that is none

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as it is called
        """The command of a name; None where there is none."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, name = place.split(".")
        found = getattr(import_module(f"ledger.service.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(cmd_name)(found)
        return get_command(alone)


app = typer.Typer(
    name="jobledger",
    cls=Commands,
    help="The system of record for long-running operations.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        from importlib.metadata import version

        typer.echo(version("jobledger"))
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_print_version, help="Print the version and stop."
    ),
) -> None:
    """Record and answer for operations that run for minutes or hours somewhere else."""
