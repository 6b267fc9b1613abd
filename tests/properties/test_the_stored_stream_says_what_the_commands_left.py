from hypothesis import given

from ledger.domain.job import Job, evolve
from ledger.domain.owner import Owner, evolve_owner
from ledger.store.mapper import read_event, write_row
from tests.domain.memory import Memory
from tests.properties.lives import LIVES, Command, obey


@given(life=LIVES)
def test_folded_from_its_bytes(life: list[Command]) -> None:
    memory = Memory()
    for command in life:
        obey(memory, command, command.transition())
    jobs: dict[str, Job] = {}
    owners: dict[str, Owner] = {}

    for row in map(write_row, memory.events):
        event = read_event(row.stream, row.version, row.topic, row.state)
        if row.stream.startswith("owner:"):
            owners[event.job] = evolve_owner(owners.get(event.job, Owner(event.job)), event)
        else:
            jobs[event.job] = evolve(jobs.get(event.job), event)

    assert (jobs, owners) == (memory.jobs, memory.owners)
