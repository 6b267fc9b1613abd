"""Whatever is keyed by facts speaks of all of them; what it leaves out it names, so that no new one is overlooked."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ledger.domain.events import JOB_FACTS
from tests.domain.tables import KINDS, ROOT, everything, look_through, tables_of, wrongs
from tests.properties.test_every_fact_can_be_drawn import MODELS

IMPORTS = "from ledger.domain.events import *\nfrom ledger.domain.facts import named\n"
OTHERS = " ".join(fact.name for fact in JOB_FACTS if fact.name not in ("late", "lost"))
FAILED = re.compile(r"^FAILED .*::(\S+)")
UNDRAWN = sorted([
    "test_a_history_is_of_every_fact",
    "test_a_life_is_of_every_fact[paused]",
    "test_a_record_is_of_every_fact[paused]",
    *(f"test_a_model_has_a_word_for_every_fact[{model}]" for model in MODELS),
])  # fmt: skip
FACT = '''class Paused(Fact):
    """The job was paused by somebody."""

    name, topic = "paused", "job.paused.v1"
    until: Moment


'''
ROW = '"paused": _stays(*_OPEN),'


def test_each_table_is_total() -> None:
    assert wrongs(list(everything())) == []


@pytest.mark.parametrize(
    "source",
    [
        "TABLE = {Late: 1, Lost: 2}",
        "TABLE: dict[type[Fact], int] = {Late: 1, **{Lost: 2}}",
        "TABLE = (Late, Lost)",
        "TABLE = Late | Lost",
        "TABLE = frozenset({'late', 'lost'})",
        "TABLE = named('late lost')",
        "class Room:\n    TABLE = ['late', 'lost']",
        "def table(fact): return isinstance(fact, Late | Lost)",
        "def table(fact): return isinstance(fact, (Late, Lost))",
        "def table(fact): return type(fact) is Late or type(fact) is Lost",
        "def table(fact): return type(fact) in {Late, Lost}",
        "def table(event): return event.name in ('late', 'lost')",
        "def table(name): return {'late': 1, 'lost': 2}.get(name)",
        "def table(record):\n    if record['event'] == 'late': return 1\n    return record['event'] != 'lost'",
        "def table(fact):\n    match fact:\n        case Late(): return 1\n        case Lost(): return 2",
        "class Room:\n    async def table(self, it): return [it for _ in it if type(it) is Late or type(it) is Lost]",
    ],
)
def test_a_table_that_nobody_registered_is_found(source: str) -> None:
    name = f"elsewhere.{'table' if 'def table' in source else 'Room.TABLE' if 'Room' in source else 'TABLE'}"

    assert _wrongs(source) == [f"{name} says nothing of {word}." for word in sorted(OTHERS.split())]
    assert _wrongs(f"{source}\nNOT_IN_TABLE = named('{OTHERS}')") == []
    assert _wrongs(f"{source}\n_NOT_IN_TABLE = named('lost {OTHERS}')") == [f"{name} has lost, and leaves it out."]


@pytest.mark.parametrize(
    "source",
    [
        "computed = frozenset(fact for fact in JOB_FACTS if fact.timed)",
        "MIXED = {'late': 1, 'waiting': 2}",
        "def by_phase(job): return job.phase in ('planned', 'submitted')",
        "def one(fact): return type(fact) is Late",
        "def apart(fact): return 1 if type(fact) is OwnerStarted else 2 if type(fact) is OwnerFenced else 3",
    ],
)
def test_what_is_keyed_by_something_else_is_no_table(source: str) -> None:
    assert _wrongs(source) == []


def test_what_leaves_facts_out_of_nothing_is_found() -> None:
    assert _wrongs("_NOT_IN_TABLE = named('late')") == ["elsewhere: NOT_IN_TABLE leaves facts out of nothing."]


def test_an_owners_table_is_held_against_the_facts_of_owners() -> None:
    assert _wrongs("TABLE = {OwnerStarted: 1}") == ["elsewhere.TABLE says nothing of owner_fenced."]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for room in ("ledger", "projections", "tests"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_an_event_with_its_class_and_a_row_in_the_table_of_transitions_is_missed_everywhere_else(tree: Path) -> None:
    """Once such a one was recorded, the views ignored it, and nearly all tests were green."""
    _add(tree / "ledger/domain/events.py", "class OwnerStarted(Fact):", FACT, before=True)
    assert _run(tree, "tests.domain.tables") == ["ledger.domain.events has paused in none of its lists."]

    _add(tree / "ledger/domain/events.py", "JOB_FACTS: tuple[type[Fact], ...] = (", "Paused,")
    _add(tree / "ledger/domain/states.py", "TRANSITIONS: Mapping[str, Mapping[Phase, Phase]] = {", ROW)

    of_jobs = [table.name for table in tables_of(list(everything())) if KINDS[0] & (table.has | table.leaves_out)]
    missed = [f"{name} says nothing of paused." for name in of_jobs if name != "ledger.domain.states.TRANSITIONS"]
    assert len(missed) > 20
    assert _run(tree, "tests.domain.tables") == missed
    undrawn = _run(tree, "pytest", "-rf", "--tb=no", "tests/properties/test_every_fact_can_be_drawn.py")
    assert sorted(found[1] for line in undrawn if (found := FAILED.search(line))) == UNDRAWN


def _run(tree: Path, *words: str) -> list[str]:
    """What a module tells of a tree, in which something is wrong."""
    command = (sys.executable, "-m", *words)
    told = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=120)
    assert (told.returncode, told.stderr) == (1, "")
    return told.stdout.splitlines()


def _wrongs(source: str) -> list[str]:
    module = ModuleType("elsewhere")
    exec(IMPORTS + source, vars(module))
    return wrongs([look_through(module, source)])


def _add(path: Path, place: str, what: str, *, before: bool = False) -> None:
    source = path.read_text()
    assert source.count(place) == 1
    path.write_text(source.replace(place, what + place if before else place + what))
