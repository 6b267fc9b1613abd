import pytest

from ledger.demo.engine import FLOWS
from tests.crashes.boundaries import Boundaries
from tests.crashes.stage import Stage


def _at_each(stage: Stage, kind: str, parts: int, *, life: int, first: int | None = None, inside: bool = False) -> int:
    """Crash a life of the engine at each of its boundaries in turn; the number of runs is returned.

    `first` is where the life before it crashes.
    """
    for at in range(1, 10_000):
        lives: list[Boundaries] = []

        def crash(n: int, at: int = at, lives: list[Boundaries] = lives) -> Boundaries:
            lives.append(Boundaries(at if n == life else first if n < life else None, inside=inside))
            return lives[-1]

        assert stage.play(kind, parts, f"{kind}/{parts}/{at}", crash) == [], (at, [each.where for each in lives])
        if len(lives) <= life or not lives[life].where:
            return at
    return 0


@pytest.mark.parametrize("parts", range(1, 9))
@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_every_append_and_every_call(stage: Stage, kind: str, parts: int) -> None:
    assert _at_each(stage, kind, parts, life=0) > 10 * parts


@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_every_statement_of_an_append(stage: Stage, kind: str) -> None:
    assert _at_each(stage, kind, 1, life=0, inside=True) > 50


@pytest.mark.parametrize("kind", sorted(FLOWS))
def test_recovery_itself_at_every_boundary(stage: Stage, kind: str) -> None:
    assert _at_each(stage, kind, 3, life=1, first=14) > 5
