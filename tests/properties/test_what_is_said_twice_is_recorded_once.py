from hypothesis import given

from tests.domain.memory import UNCHANGED, Memory
from tests.properties.lives import LIVES, Command, again, obey


@given(life=LIVES)
def test_any_command_in_any_state(life: list[Command]) -> None:
    memory = Memory()
    for command in life:
        said = command.transition()
        first = obey(memory, command, said)
        if first is None:
            continue
        for repeated in (said, again(said)):
            second = obey(memory, command, repeated)

            assert second is not None
            assert (second.disposition, second.events) == (UNCHANGED, ())
            assert type(second.error) is type(first.error)
