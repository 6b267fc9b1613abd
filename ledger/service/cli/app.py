"""The commands, put together: each is imported when it is called, for most need what the others do not."""

from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ledger import process
from ledger.errors import HostileText

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
    "lost": "losses.lost",
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
        command = getattr(import_module(f"ledger.service.cli.{module}"), name)
        if isinstance(command, typer.Typer):
            for each in command.registered_commands:
                each.callback = _hearing_text(each.callback, cmd_name) if each.callback else None
            return get_command(command)
        alone = typer.Typer(rich_markup_mode=None, add_completion=False)
        alone.command(cmd_name)(_hearing_text(command, cmd_name))
        return get_command(alone)


def _hearing_text(command: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The command, which hears no word that is not Unicode; what names a file may be any bytes, as for the system.

    While it runs, the process is called by its name.
    """

    @wraps(command)
    def hear(**words: Any) -> Any:
        for option, value in words.items():
            for word in value if isinstance(value, list) else [value]:
                if isinstance(word, str) and not _is_unicode(word) and option not in _naming_files(command):
                    raise HostileText(f"An argument must be Unicode, in UTF-8, and {word!r} is not.")
        with process.running(name):
            return command(**words)

    return hear


def _is_unicode(word: str) -> bool:
    return word.isascii() or not any("\ud800" <= char <= "\udfff" for char in word)


def _naming_files(command: Callable[..., Any]) -> Iterable[str]:
    for name, hint in get_type_hints(command, include_extras=True).items():
        if any(
            "FILE" in (getattr(annotation, "metavar", None) or "") for annotation in getattr(hint, "__metadata__", ())
        ):
            yield name


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
