"""The commands, put together."""

import typer

from ledger.service.cli import ask, database, demo, diff, feed, history, integrity, records, recovery, retention

app = typer.Typer(
    name="jobledger",
    help="The system of record for long-running operations.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("import")(records.import_)
app.command("export")(integrity.export)
app.command("record")(records.record)
app.command("cancel")(records.cancel)
app.command("show")(ask.show)
app.command("tree")(ask.tree)
app.command("list")(ask.list_)
app.command("busy")(ask.busy)
app.command("history")(history.history)
app.command("diff")(diff.diff)
app.command("watch")(feed.watch)
app.command("wait")(feed.wait)
app.command("expiry")(retention.expiry)
app.command("hold")(retention.hold)
app.command("recover")(recovery.recover)
app.command("resolve")(recovery.resolve)
app.command("dispute")(recovery.dispute)
app.command("seal")(integrity.seal)
app.command("verify")(integrity.verify)
app.command("verify-export")(integrity.verify_export)
app.command("migrate")(database.migrate)
app.command("doctor")(database.doctor)
app.add_typer(database.projections, name="projections")
app.add_typer(database.pg, name="pg")


@app.callback()
def version(
    *, show: bool = typer.Option(False, "--version", is_eager=True, help="Print the version and stop.")
) -> None:
    """Record and answer for operations that run for minutes or hours somewhere else."""
    if show:
        from importlib.metadata import version as installed

        typer.echo(installed("jobledger"))
        raise typer.Exit
