"""The command `jobledger`: data on stdout, the rest on stderr, and an exit code that tells a script what happened.

To add a command:

1. A function in the module of its subject, whose docstring is its help; it imports what it needs when it runs. It
   decides nothing: what it does is a method of `ledger/application.py`, or a function of `ledger/service`.
2. Where it answers it has `form: Output`. Data goes through `print_json`, `print_jsonl` and `print_table` of
   `output.py`, sentences through `say` and `note` there. A code other than 0 is a `typer.Exit`; errors of the ledger
   are raised, and told by `run` below with the code of their family.
3. `app.py`: its name in `COMMANDS`, in the place where help lists it.
4. `tests/service/cli`: what it answers and exits with, by the fixture `run`. Bad numbers and hostile texts are tried on
   it by themselves (`test_a_number_is_one_that_can_be.py`, `test_no_text_commands_the_terminal.py`).
5. `README.md`, "From the command line", and `CHANGELOG.md`.
"""

import atexit
import io
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from ledger import garbage
from ledger.errors import LedgerError
from ledger.imports import explained
from ledger.service.cli.terminal import guard
from ledger.service.wire import FAULTY, USAGE, exit_code

INTERRUPTED = 130
UNREAD = 141  # as of a process that dies of SIGPIPE


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    garbage.rest()  # what is imported stays: to search it again and again takes a tenth of the time of a short command
    _leave(run())


def run() -> int:
    """Run the command line, and give its exit code; every error of the ledger is one sentence on stderr."""
    from ledger.service.cli.app import app

    _open_streams()
    _tell_warnings()
    code = UNREAD
    try:
        code = _call(app)
        _flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - Python would exit with 1, which says that an entity is free
        return _fail(error)
    return code


def _open_streams() -> None:
    """Let a stream that was closed take anything and give nothing, and one that cannot show a text still tell it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    guard()


def _tell_warnings() -> None:
    """Let the person hear what the ledger would write into the log of a service: who is waited for, what is away."""
    import logging

    from ledger.service.cli.output import note

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(f"jobledger: {record.getMessage()}")

    logging.getLogger("ledger").addHandler(Notes(logging.WARNING))


def _call(app: Callable[..., object]) -> int:
    try:
        code = app(prog_name="jobledger", standalone_mode=False)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None  # which typer takes for an exit with 1
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return code if isinstance(code, int) else 0


def _leave(code: int) -> NoReturn:
    """End the process without taking its objects apart one by one: a twelfth of the time of a short command."""
    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()  # noqa: SLF001 - as multiprocessing does where it ends a process in this way
    with suppress(OSError):  # told before
        _flush()
    os._exit(code)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _fail(error: Exception) -> int:
    """Say what went wrong, where it can be said: in one sentence, unless the fault is ours."""
    from ledger.service.cli.output import note

    if type(error).__module__.startswith("psycopg"):
        from ledger.store.connection import translate

        error = translate(error)
    with suppress(OSError):
        if hasattr(error, "format_message"):  # of typer, which names the class in a place of its own in each release
            _explain(error)
        elif isinstance(error, OSError):
            note(f"jobledger: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        elif isinstance(error, LedgerError):
            note(f"jobledger: {error}")
        elif isinstance(error, ImportError) and (hidden := explained(error)) is not error:
            note(f"jobledger: {hidden}")
        else:
            traceback.print_exception(error)
    if isinstance(error, OSError) or hasattr(error, "format_message"):
        return USAGE
    return exit_code(error) if isinstance(error, LedgerError) else FAULTY


def _explain(error: Any) -> None:
    """Say what was wrong with the words of the command, on one line of their own below how it is called."""
    from ledger.service.cli.output import note

    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    context = getattr(error, "ctx", None)
    if context is not None:
        for line in (*context.get_usage().splitlines(), f"Try '{context.command_path} --help' for help.", ""):
            note(line)
    note(f"Error: {error.format_message()}")
