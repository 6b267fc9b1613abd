import pickle

import pytest

from ledger.domain.commands import Plan, Transition, planned
from ledger.records import parse_page

PLAN = b'{"job":"j1","event":"planned","type":"T","params":{"n":1},"children":[{"job":"j2","type":"T"}]}'
REPORT = b'{"job":"j1","event":"succeeded","result":{"bytes":1}}'


@pytest.mark.parametrize("line", [PLAN, REPORT])
def test_a_parsed_fact_has_printed_itself(line: bytes) -> None:
    """What another process has parsed comes with its text, which is the one that would be made here."""
    [sent] = parse_page([(1, line)])
    said = pickle.loads(pickle.dumps(sent))
    assert isinstance(said, Transition)
    assert said == sent
    fact = said.fact.alone if isinstance(said.fact, Plan) else said.fact
    assert vars(fact)["text"] == fact.model_copy(update={}).model_dump_json(exclude_defaults=True).encode()


def test_a_plan_alone_is_the_top_of_its_tree() -> None:
    [said] = parse_page([(1, PLAN)])
    assert isinstance(said, Transition)
    assert isinstance(said.fact, Plan)
    assert said.fact.alone == planned(said.fact, "j1", 1, None)
    assert (said.fact.alone.root, said.fact.alone.depth, said.fact.alone.children) == ("j1", 1, 1)
