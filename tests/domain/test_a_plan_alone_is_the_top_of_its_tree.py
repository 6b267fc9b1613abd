from ledger import clock
from ledger.domain.commands import Plan, parse_transition, planned

PLAN = {"job": "j1", "event": "planned", "type": "T", "children": [{"job": "j2", "type": "T"}]}


def test_a_plan_alone_is_the_top_of_its_tree() -> None:
    said = parse_transition(PLAN, clock.new_id)
    assert isinstance(said.fact, Plan)
    assert said.fact.alone == planned(said.fact, "j1", 1, None)
    assert (said.fact.alone.root, said.fact.alone.depth, said.fact.alone.children) == ("j1", 1, 1)
