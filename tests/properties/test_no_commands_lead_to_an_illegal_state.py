from hypothesis import given, settings

from ledger.domain.states import Phase
from tests.domain.memory import Memory
from tests.properties.lives import LIVES, Command, obey
from tests.properties.model import Model

ORDER = list(Phase)
BACK_AND_FORTH = {Phase.RUNNING, Phase.SUSPENDED}


@settings(max_examples=300)
@given(life=LIVES)
def test_the_model_objects_to_no_event(life: list[Command]) -> None:
    memory, model = Memory(), Model()
    for command in life:
        decision = obey(memory, command, command.transition())
        if decision is not None:
            model.hear(decision.events, historical=command.historical)
    for job, line in model.lines.items():
        assert memory.jobs[job].outcome == line.outcome
        assert memory.jobs[job].closed is (line.outcome is not None)


@given(life=LIVES)
def test_no_phase_goes_back(life: list[Command]) -> None:
    memory = Memory()
    for command in life:
        before = dict(memory.jobs)
        decision = obey(memory, command, command.transition())
        planned = {event.job for event in decision.events if event.name == "planned"} if decision else set()
        for name, job in memory.jobs.items():
            if name not in before or name in planned or {job.phase, before[name].phase} == BACK_AND_FORTH:
                continue
            assert ORDER.index(job.phase) >= ORDER.index(before[name].phase)
