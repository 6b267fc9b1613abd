"""The command `jobledger`: data on stdout, the rest on stderr, and an exit code that tells a script what happened."""

import gc
import io
import os
import sys
from typing import NoReturn

from ledger import garbage
from ledger.errors import (
    BadInput,
    Conflict,
    IntegrityFailure,
    LedgerError,
    NotFound,
    Unavailable,
    WaitTimedOut,
)

EXIT_CODES: dict[type[LedgerError], int] = {
    BadInput: 2,
    NotFound: 4,
    Conflict: 5,
    IntegrityFailure: 6,
    Unavailable: 69,
    WaitTimedOut: 124,
}
INTERRUPTED = 130


def exit_code(error: LedgerError) -> int:
    """The exit code of an error, by its family."""
    return next((code for family, code in EXIT_CODES.items() if isinstance(error, family)), 70)


def main() -> None:
    """Run the command line; every error of the ledger is one sentence on stderr."""
    garbage.rest()  # what is imported stays: to search it again and again takes a tenth of the time of a short command
    from ledger.service.cli.app import app

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what a terminal cannot show it can still tell
    try:
        app(prog_name="jobledger")
    except LedgerError as error:
        _fail(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        print(f"jobledger: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):
            raise
        from ledger.store.connection import translate

        _fail(translate(error))
    finally:
        gc.freeze()  # and to search it at the end as much


def _fail(error: LedgerError) -> NoReturn:
    from ledger.service.cli.output import note

    note(f"jobledger: {error}")
    sys.exit(exit_code(error))
