"""Whoever makes histories makes them of every fact, and whoever judges them has a word for each."""

import ast
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import parse_transition
from ledger.domain.events import JOB_FACTS, LEDGER_FACTS, OWNER_FACTS
from ledger.errors import BadInput
from tests.projections.histories import History
from tests.properties.lives import commands
from tests.properties.strategies import RECORDS, transition

TESTS = Path(__file__).parents[1]
OF_JOBS, OF_OWNERS, OF_LEDGERS = ({fact.name for fact in facts} for facts in (JOB_FACTS, OWNER_FACTS, LEDGER_FACTS))
DRAWS = 4_000
MODELS = (
    "projections/model.py",
    "projections/audit_model.py",
    "properties/model.py",
    "crashes/model.py",
    "races/log.py",
)


def _drawn(histories: Collection[History]) -> set[str]:
    """The facts that these histories say in such a way that they can be read."""
    found = set()
    for record in (history.next() for history in histories for _ in range(DRAWS)):
        try:
            found.add(parse_transition(record, lambda: "chosen").fact.name)
        except BadInput:
            continue
    return found


def test_a_history_is_of_every_fact() -> None:
    assert (OF_JOBS | OF_OWNERS) - _drawn([History(1), History(2)]) == set()


@pytest.mark.parametrize("name", sorted(OF_JOBS | OF_OWNERS))
@settings(max_examples=10)
@given(data=st.data())
def test_a_life_is_of_every_fact(name: str, data: st.DataObject) -> None:
    assert data.draw(commands(st.just(name))).transition().fact.name == name


@pytest.mark.parametrize("name", sorted(OF_JOBS | OF_OWNERS | OF_LEDGERS))
@settings(max_examples=10)
@given(data=st.data())
def test_a_record_is_of_every_fact(name: str, data: st.DataObject) -> None:
    assert transition(data.draw(RECORDS[name])).fact.name == name


@pytest.mark.parametrize("model", MODELS)
def test_a_model_has_a_word_for_every_fact(model: str) -> None:
    tree = ast.parse((TESTS / model).read_text())
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    assert OF_JOBS - words == set()
