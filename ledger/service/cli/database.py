"""The database underneath: migrate, doctor, projections, pg."""

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.service.cli import output
from ledger.service.cli.output import Form, Output

if TYPE_CHECKING:
    from ledger.service.embedded import EmbeddedServer

pg = typer.Typer(help="The embedded PostgreSQL.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)
projections = typer.Typer(help="The views.", no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def migrate(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 69 where something is pending.")] = False,
    print_: Annotated[bool, typer.Option("--print", help="Print the SQL for an empty database instead.")] = False,
) -> None:
    """Bring the database to this release."""
    from ledger.service import readiness
    from ledger.service.assembly import check_release
    from ledger.service.settings import find_database

    if print_:
        output.print_exact("\n".join(readiness.migrator().print()) + "\n")
        return
    if check:
        check_release(find_database())
        output.say("The database is of this release.")
        return
    conninfo = readiness.admin_conninfo(find_database())
    applied = readiness.bring_up(conninfo, output.catching_up("The view told is"), output.note)
    for migration in applied:
        output.say(f"applied {migration.schema} {migration.number:04} {migration.name}")
    if not applied:
        output.say("The database is of this release already.")


def doctor(form: Output = Form.TABLE) -> None:
    """Say what is missing or unsafe.

    Exit 1 where something must be mended.
    """
    from ledger.service.assembly import diagnose
    from ledger.service.settings import find_database

    findings = diagnose(find_database())
    answers = [{"code": finding.code, "level": finding.level, "sentence": finding.sentence} for finding in findings]
    if form is Form.JSON:
        output.print_json({"findings": answers})
    elif form is Form.JSONL:
        output.print_jsonl(answers)
    else:
        output.print_table(("level", "check", "finding"), ((f["level"], f["code"], f["sentence"]) for f in answers))
    raise typer.Exit(1 if any(finding.level == "error" for finding in findings) else 0)


@projections.command("list")
def list_views(form: Output = Form.TABLE) -> None:
    """Say how far each view is."""
    from ledger.service.assembly import views

    reached = views()
    if form is Form.TABLE:
        rows = ((view["view"], *(f"{view[name]:,}" for name in ("version", "position", "lag"))) for view in reached)
        output.print_table(("view", "version", "position", "lag"), rows)
    elif form is Form.JSON:
        output.print_json({"views": reached})
    else:
        output.print_jsonl(reached)


@projections.command("rebuild")
def rebuild_views(
    view: Annotated[str | None, typer.Argument(help="One of those that jobledger projections list names.")] = None,
) -> None:
    """Build a view anew from the events, or all that appends fill, and put it in the place of the live one.

    Writes go on, and a killed rebuild has changed nothing. A view that questions let catch up, such as history, is
    emptied first; killed, it goes on with the next question.
    """
    from ledger.service.assembly import rebuild_views

    what = f"The view {view} is" if view else "The views are"
    output.say(f"{what} rebuilt up to position {rebuild_views(view, output.catching_up(what)):,}.")


@projections.command("compare")
def compare_views(form: Output = Form.TABLE) -> None:
    """Build all views anew beside the live ones and compare them row by row.

    Exit 6 where they differ, and where a row of the ledger is no event, which no view can show; each is named.
    """
    from ledger.service.assembly import compare_views, damaged_rows

    differences = compare_views(output.catching_up("The comparison is"))
    if form is Form.TABLE:
        output.print_table(("view", "rows that differ"), ((view, f"{count:,}") for view, count in differences.items()))
    else:
        output.print_json(differences)
    damaged = damaged_rows()
    for sentence in damaged:
        output.note(sentence)
    raise typer.Exit(6 if damaged or any(differences.values()) else 0)


def _server() -> "EmbeddedServer":
    from ledger.service.embedded import EmbeddedServer, default_folder

    return EmbeddedServer(default_folder())


@pg.command()
def start() -> None:
    """Start the embedded PostgreSQL where it does not run."""
    server = _server()
    server.start()
    output.say(f"PostgreSQL runs in {server.status().folder}; jobledger pg stop ends it.")


@pg.command()
def stop() -> None:
    """Stop the embedded PostgreSQL."""
    output.say("PostgreSQL is stopped." if _server().stop() else "PostgreSQL was not running.")


@pg.command()
def status(form: Output = Form.TABLE) -> None:
    """Say whether the embedded PostgreSQL runs; exit 1 where it does not."""
    state = _server().status()
    fields = {
        "folder": str(state.folder),
        "running": state.running,
        "pid": state.pid,
        "version": state.version,
        "socket_folder": str(state.socket_folder),
        "size_bytes": state.size_bytes,
    }
    if form is Form.TABLE:
        output.print_table(("", "value"), ((name.replace("_", " "), str(value)) for name, value in fields.items()))
    else:
        output.print_json(fields)
    raise typer.Exit(0 if state.running else 1)


@pg.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def psql(context: typer.Context) -> None:
    """Run psql as the superuser of the embedded PostgreSQL; stdin, arguments and exit status pass through."""
    raise typer.Exit(_server().psql(context.args))
