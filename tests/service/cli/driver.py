"""Runs many commands one after the other in one process, each as the command line would: `words` are lines of JSON.

Behind each there is a line of its own on both streams, with the number of the command and its exit code.
"""

import faulthandler
import json
import os
import sys

from ledger.service.cli import run

SECONDS_MAX = 100  # of one command, which then tells where it stands
END = "~~~ end of {} with {}\n"


def main() -> None:
    with open(sys.argv[1], encoding="ascii") as file:  # noqa: PTH123 - as short as it gets
        commands = [json.loads(line) for line in file]
    for number, words in enumerate(commands):
        sys.argv = ["jobledger", *words]
        faulthandler.dump_traceback_later(SECONDS_MAX, exit=True, file=2)
        try:
            code: object = run()
        except BaseException as error:  # noqa: BLE001 - what the command would die of
            code = repr(error)
        sys.stdout.flush()
        sys.stderr.flush()
        for stream in (1, 2):
            os.write(stream, END.format(number, code).encode())


if __name__ == "__main__":
    main()
