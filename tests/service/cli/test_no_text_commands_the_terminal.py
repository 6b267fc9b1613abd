import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import typer
from psycopg.conninfo import make_conninfo

from ledger.application import Ledger
from ledger.service.cli.terminal import Guarded, plain, plain_json
from tests.service.cli.commands import Leaf, Said, leaves, run_all
from tests.service.cli.conftest import environment, on, plan

# A window's title, a cleared screen, a line that is written over, C1, bidi overrides, nothing to see, a forged line.
EVIL = "\x1b]0;owned\x07\x1b[2J\r\x08\x7f\x9b31m\u202e\u2066\u200b\ufeff\u2028\u3164\nForged: all is well\n"
SHORT = "\x1b[31m\u202e\n"
NOBODY = EVIL + "x"  # of which nothing is on record
NAMING_FILES = {"--key", "--rejects", "--overlaps", "--to", "--checkpoint"}  # which may be any bytes
NOT_UTF_8 = "\udcff"


LEAVES = list(leaves())
# What is not run with good words here: it would start a server, or a program that is not ours.
STARTING = {("demo",), ("pg", "start"), ("pg", "stop"), ("pg", "psql")}


def _hostile_words(leaf: Leaf) -> Iterator[list[str]]:
    """Every way to say something hostile to a command: as argument, option, value, and one word too many."""
    words = [*leaf.words]
    if leaf.words == ("pg", "psql"):
        return
    yield [*words, f"--{SHORT}x"]
    yield [*words, "-\x1b"]
    yield [*words, *[NOBODY] * (leaf.arguments + 3)]
    if leaf.words in STARTING:
        return
    if leaf.arguments:
        yield [*words, *[NOBODY] * leaf.arguments]
        yield [*words, *[NOT_UTF_8] * leaf.arguments]
    for option in leaf.options:
        for value in (NOBODY, NOT_UTF_8):
            yield [*words, *["x/y"] * leaf.arguments, option, value]


HOSTILE = [["\x1b[2J" + EVIL], [f"--{EVIL}"], ["pg", EVIL], ["projections", EVIL]]
HOSTILE += [words for leaf in LEAVES for words in _hostile_words(leaf)]


def _stored_words(key: str) -> list[list[str]]:
    """What shows hostile data that is on record."""
    forms = [[], ["-o", "json"], ["-o", "jsonl"]]
    shown = [
        ["show", EVIL], ["tree", EVIL], ["list"], ["list", "--active"], ["list", "--as-of", "3", "--active"],
        ["busy", f"vm/{EVIL}"], ["busy", f"vm/{EVIL}", "--as-of", "3"],
        ["history"], ["history", "--durations"], ["history", EVIL], ["history", "type:T"],
        ["history", f'actor:"{SHORT}"'], ["diff", "--from", "1"], ["watch", f"{EVIL}/1", "--after", "0"],
        ["wait", f"{EVIL}/1"], ["wait", "--free", f"vm/{EVIL}", "--timeout", "0"], ["expiry"], ["recover"],
        ["verify", "--job", EVIL], ["doctor"], ["projections", "list"], ["pg", "status"],
    ]  # fmt: skip
    once = [
        ["export"], ["export", f"job:\"{EVIL}\""], ["migrate", "--check"], ["migrate", "--print"],
        ["seal"], ["verify"], ["record", json.dumps(plan(f"{EVIL}/late", parent=EVIL))], ["cancel", EVIL],
        ["hold", EVIL, "--reason", EVIL], ["resolve", f"{EVIL}/1", "failed", "--reason", EVIL],
        ["lost", f"1:{EVIL}"], ["lost", f"1:{EVIL}", "--accept", "--reason", EVIL, "--actor", SHORT],
        ["dispute", f"{EVIL}/1", "--evidence", EVIL], ["import", "-"], ["recover", "--fence", EVIL],
        ["projections", "compare"], ["projections", "rebuild", EVIL], ["verify-export", key], ["seal", "--key", "/"],
    ]  # fmt: skip
    return [[*words, *form] for words in shown for form in forms] + once


@pytest.fixture
def told(ledger: Ledger, superuser: str) -> Ledger:
    """Everything that can be told, told by somebody hostile, and a function with such a name."""
    entities = [on(f"vm/{EVIL}") | {"role": "owner"}]
    ledger.record(
        plan(
            EVIL, kind=SHORT, entities=entities, actor=SHORT, reason=EVIL, params={EVIL: [EVIL]},
            children=[{"job": f"{EVIL}/{n}", "type": SHORT} for n in (1, 2)],
        )
    )  # fmt: skip
    ledger.submit(f"{EVIL}/1", executor=EVIL, token=EVIL, owner=EVIL, epoch=1, raw=EVIL)
    ledger.accept(f"{EVIL}/1", EVIL)
    ledger.progress(f"{EVIL}/1", done=1, total=2, unit=SHORT, message=EVIL)
    ledger.fail(f"{EVIL}/1", {"code": SHORT, "message": EVIL, "details": [EVIL]}, warnings=[EVIL])
    ledger.dispute(f"{EVIL}/1", {EVIL: EVIL}, actor=EVIL)
    ledger.lose(f"{EVIL}/2", EVIL)
    with psycopg.connect(superuser, autocommit=True) as connection:
        name = psycopg.sql.Identifier("projections", EVIL[:40])
        connection.execute(psycopg.sql.SQL("CREATE FUNCTION {}() RETURNS int LANGUAGE sql AS 'SELECT 1'").format(name))
    return ledger


@pytest.fixture
def env(conninfo: str, tmp_path: Path) -> dict[str, str]:
    """As on a terminal without colours, so that no sequence of it is ours; the data folder has a hostile name."""
    data = str(tmp_path / "\x1b[2J\u202edata")
    return environment(conninfo, TERM="dumb", JOBLEDGER_KEY=f"{tmp_path}/\x1b[2Jseal.key", JOBLEDGER_DATA=data)


def _check(said: Said) -> None:
    for data in (said.out, said.err):
        text = data.decode()
        assert plain(text.replace("\n", "").replace("\t", "")) == text.replace("\n", "").replace("\t", ""), said
        assert not any(line.startswith("Forged") for line in text.splitlines()), said
        assert "Traceback" not in text, said
    assert said.code in {"0", "1", "2", "3", "4", "5", "6", "7", "69", "124"}, said


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_no_word_of_the_command_line_does(told: Ledger, env: dict[str, str], tmp_path: Path, *, terminal: bool) -> None:
    """Of any command: as an argument, an option, a value of one, or a word too many; what is no text exits with 2."""
    for said in run_all(HOSTILE, env, tmp_path, terminal=terminal):
        _check(said)
        if NOT_UTF_8 in said.words and said.words[-2] not in NAMING_FILES:
            assert (said.code, said.out) == ("2", b""), said


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_nothing_on_record_does(told: Ledger, env: dict[str, str], tmp_path: Path, *, terminal: bool) -> None:
    """In any form; and what is JSON stays so, and exact."""
    found = run_all(_stored_words(str(tmp_path)), env, tmp_path, terminal=terminal)

    for said in found:
        _check(said)
        if "-o" in said.words and said.words[-1] == "jsonl":
            for line in said.out.decode().splitlines():
                json.loads(line)
    shown = next(json.loads(said.out) for said in found if said.words == ["show", EVIL, "-o", "json"])
    assert (shown["job"], shown["reason"], shown["params"]) == (EVIL, EVIL, {EVIL: [EVIL]})
    exported = next(said.out.decode() for said in found if said.words == ["export"])
    assert json.loads(exported.splitlines()[0])["job"] == EVIL


def test_every_command_was_heard_with_hostile_words() -> None:
    """A new command is among them, for they are read from the command itself."""
    heard = {leaf.words for leaf in LEAVES if any(tuple(words[: len(leaf.words)]) == leaf.words for words in HOSTILE)}
    assert heard == {leaf.words for leaf in LEAVES} - {("pg", "psql")}  # whose words are for psql
    shown = _stored_words("")
    told = {leaf.words for leaf in LEAVES if any(tuple(words[: len(leaf.words)]) == leaf.words for words in shown)}
    assert told == {leaf.words for leaf in LEAVES} - STARTING


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_no_message_of_a_server_or_of_the_system_does(
    superuser: str, env: dict[str, str], tmp_path: Path, *, terminal: bool
) -> None:
    for dsn in (
        make_conninfo(superuser, dbname="\x1b[2J\u202enowhere"),
        make_conninfo(superuser, user="\x1b]0;owned\x07"),
        "host='/tmp/\x1b[2J' port=1",
        "\x1b[2J=\r",
        "postgresql://\x1b[2J:x",
        "service='\x1b[2J'",
        f"host=\udcff {EVIL}",
    ):
        commands = [["list"], ["doctor"], ["migrate", "--check"], ["import", str(tmp_path / "\x1b[2J\r")]]
        for said in run_all(commands, env | {"JOBLEDGER_DSN": dsn}, tmp_path, terminal=terminal):
            _check(said)
            assert said.code in {"2", "69"}, said


def test_a_table_in_colours_sends_no_more_than_colours(told: Ledger, env: dict[str, str], tmp_path: Path) -> None:
    coloured = {name: value for name, value in env.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    found = run_all([["list"], ["history"], ["tree", EVIL]], coloured, tmp_path, terminal=True)

    assert b"\x1b[" in found[0].out
    for said in found:
        _check(said._replace(out=re.sub(rb"\x1b\[[0-9;]*m", b"", said.out)))


def test_a_bar_of_progress_moves_the_cursor_and_nothing_else_does(
    env: dict[str, str], conninfo: str, tmp_path: Path
) -> None:
    moving = env | {"TERM": "xterm"}
    (tmp_path / "records").write_text(json.dumps(plan(EVIL)) + "\n" + EVIL)
    (said,) = run_all([["import", str(tmp_path / "records")]], moving, tmp_path, terminal=True)

    assert said.code == "1"
    _check(said._replace(err=re.sub(rb"\x1b\[[?0-9;]*[A-Zhlm]|\r", b"", said.err)))


def test_each_character_is_shown_as_it_is_or_written_out() -> None:
    """JSON keeps its value; what is written out is in ASCII."""
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        shown = plain(char)
        assert shown == char or (shown.isascii() and shown.isprintable()), hex(code)
        if not 0xD800 <= code <= 0xDFFF:
            assert json.loads(plain_json(json.dumps(char, ensure_ascii=False))) == char, hex(code)
    for (
        hidden
    ) in "\0\a\b\t\n\r\x1b\x7f\x80\x9b\xa0\xad\u034f\u115f\u061c\u200b\u200f\u2028\u202e\u2060\u2069\u3164\ufe0f\ufeff":
        assert plain(hidden) != hidden
    assert plain("é 漢 🚀 ─") == "é 漢 🚀 ─"


def test_a_guarded_stream_keeps_lines_and_tabs() -> None:
    kept = io.StringIO()
    guarded = Guarded(kept)
    guarded.writelines(["a\tb\n", "\x1b[2J\r\n", "é\u202e"])

    assert kept.getvalue() == "a\tb\n\\x1b[2J\\r\né\\u202e"
    assert guarded.getvalue() == kept.getvalue()
    assert guarded.write("ab\n") == 3


def test_what_is_printed_past_it_is_guarded_too(env: dict[str, str]) -> None:
    """The trace of a fault of ours, say."""
    broken = f"from ledger.service.cli import ask, main\ndef fall(*_, **__): raise RuntimeError({EVIL!r})\n"
    words = (sys.executable, "-c", f"{broken}ask.moments.asked = fall\nmain()", "show", "a")
    done = subprocess.run(words, env=env, capture_output=True, timeout=60, check=False)

    assert done.returncode == 70
    text = done.stderr.decode()
    assert "RuntimeError: \\x1b]0;owned" in text
    assert plain(text.replace("\n", "")) == text.replace("\n", "")


def test_what_typer_calls_an_error_is_known_by_its_message() -> None:
    """Each release has the class in another place."""
    assert callable(typer.BadParameter("x").format_message)
