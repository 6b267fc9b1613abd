"""What may reach a terminal: text that shows itself, and nothing that commands it or hides in what it shows.

Every text of the command goes through here on its way out, whoever wrote it: the streams of the process are guarded.
"""

import json
import re
import sys
from typing import IO, Any, TextIO

# What Python calls printable and no terminal shows: fillers, joiners and variation selectors (Unicode calls them
# ignorable), and the Braille pattern without dots.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_LAID_OUT = re.compile(r"([\n\t])")


def plain(text: str) -> str:
    """A text on one line that cannot command a terminal: what that would not show is written out, as Python has it."""
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(char if _is_shown(char) else char.encode("unicode_escape").decode() for char in text)


def plain_json(text: str) -> str:
    """JSON with the same written out as JSON has it, which changes no value."""
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(char if _is_shown(char) else json.dumps(char)[1:-1] for char in text)


def _is_shown(char: str) -> bool:
    return char.isprintable() and not _UNSEEN.match(char)


class Guarded:
    """A stream of text through which nothing commands a terminal; lines and tabs are what its writer lays out by."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write what can be shown, and tell how much was taken."""
        if not text.isascii() or not text.isprintable():
            self.stream.write("".join(part if part in "\n\t" else plain(part) for part in _LAID_OUT.split(text)))
        else:
            self.stream.write(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write one text after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def guard() -> None:
    """Guard what this process says on stdout and stderr, from here to its end."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Guarded):
            setattr(sys, name, Guarded(stream))


def unguarded(stream: Any) -> IO[str]:
    """The stream itself, for who styles text that went through `plain` before: tables and progress bars."""
    return stream.stream if isinstance(stream, Guarded) else stream
