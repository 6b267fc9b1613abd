from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.service.cli.commands import Said, leaves, run_all
from tests.service.cli.conftest import environment, plan

NONE = [
    "-1",
    str(1 << 63),
    str(10**30),
    "9" * 5_000,
    "1e309",
    "-1e309",
    "nan",
    "inf",
    "-inf",
    "many",
    "",
    "1.5e",
    "0x1",
]
LAST = str((1 << 63) - 1)
# What reads as a moment, a span or a size, each with the words that it needs beside it.
MOMENTS = [
    ["show", "a", "--as-of"], ["tree", "a", "--as-of"], ["list", "--active", "--as-of"], ["busy", "vm/a", "--as-of"],
    ["history", "a", "--as-of"], ["history", "type:T", "--as-of"], ["diff", "--from"], ["diff", "--from", "1", "--to"],
]  # fmt: skip
SPANS = [["list", "--silent-for"]]
SIZES = [["verify", "--checkpoint"], ["verify", "--extends"]]


@pytest.fixture
def env(conninfo: str, ledger: Ledger, tmp_path: Path) -> dict[str, str]:
    ledger.record(plan("a", kind="T"))
    ledger.succeed("a")
    return environment(conninfo, JOBLEDGER_KEY=str(tmp_path / "seal.key"))


def _numbers() -> list[list[str]]:
    return [[*leaf.words, *["a"] * leaf.required, option] for leaf in leaves() for option in leaf.numbers]


def _is_refused(said: Said) -> None:
    assert (said.code, said.out) == ("2", b""), said
    sentences = [line for line in said.err.decode().splitlines() if line.startswith(("Error: ", "jobledger: "))]
    assert len(sentences) == 1, said
    assert len(sentences[0]) < 400, said
    for word in (b"Traceback", b"could not do", b"bigint", b"SQL"):
        assert word not in said.err, said


def test_every_option_that_takes_a_number_refuses_what_is_none(env: dict[str, str], tmp_path: Path) -> None:
    """In one sentence, with exit 2; a new option is among them, for they are read from the commands."""
    assert len(_numbers()) >= 11
    for said in run_all([[*words, value] for words in _numbers() for value in NONE], env, tmp_path, terminal=False):
        _is_refused(said)


def test_none_of_nothing_is_asked_for(env: dict[str, str], tmp_path: Path) -> None:
    asked = [[*words, "0"] for words in _numbers() if words[-1] in {"--limit", "--from", "--to", "--upto", "--every"}]
    for said in run_all(asked, env, tmp_path, terminal=False):
        _is_refused(said)


def test_moments_spans_and_sizes_are_numbers_too(env: dict[str, str], tmp_path: Path) -> None:
    """A moment below 0 is so long ago, and an option of a file may name one."""
    none = [value for value in NONE if value != "-1"]
    for said in run_all([[*words, value] for words in MOMENTS for value in none], env, tmp_path, terminal=False):
        _is_refused(said)
    for said in run_all([[*words, value] for words in SPANS for value in NONE], env, tmp_path, terminal=False):
        _is_refused(said)
    huge = [[*words, value] for words in SIZES for value in (str(1 << 63), "9" * 5_000)]
    for said in run_all(huge, env, tmp_path, terminal=False):
        _is_refused(said)


def test_the_last_number_is_one(env: dict[str, str], tmp_path: Path) -> None:
    """It is asked with, and answered."""
    answered = {"0", "1", "4", "6", "124"}
    spans = (["wait", "--timeout"], ["seal", "--every"])  # in seconds, of which there are fewer
    beside: dict[tuple[str, ...], list[str]] = {("seal", "--accept"): ["--reason", "seen"]}
    asked = [
        [*words, LAST, *beside.get(tuple(words), [])] for words in [*_numbers(), *MOMENTS, *SIZES] if words not in spans
    ]
    for said in run_all(asked, env, tmp_path, terminal=False):
        assert said.code in answered or b"A page of history must have" in said.err, said
        assert b"Traceback" not in said.err, said
