"""Goes on with what is said of a whole tree, append after append, until it is said of all jobs below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger import clock
from ledger.appending.judge import Judgement
from ledger.domain.commands import Transition
from ledger.domain.trees import TREE_EVENTS_MAX, go_on

if TYPE_CHECKING:
    from ledger.appending.workspace import Workspace


class Rest:
    """The names of the jobs that are left; as a judge it takes as many of them as an append has room for."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._begin = 0
        self._taken = 0

    def __bool__(self) -> bool:
        return self._begin < len(self._names)

    def __call__(self, said: Transition, workspace: "Workspace") -> Judgement:
        """What one append says; asked again where that append has to be tried again."""
        names = self._names[self._begin : self._begin + min(workspace.room, TREE_EVENTS_MAX)]
        self._taken = len(names)
        return Judgement(go_on(said, clock.now(), workspace, names))

    def go_on(self) -> None:
        """Leave behind what was taken last, now that it is recorded."""
        self._begin += self._taken
        self._taken = 0
