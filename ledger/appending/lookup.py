"""What long streams have told, which no append keeps: it is looked for, for all of a batch in one statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from ledger import clock
from ledger.appending.shelf import Stream
from ledger.domain.commands import Transition
from ledger.domain.content import SHORT_EVENTS_MAX, LongTold, Mark, sought_by
from ledger.domain.events import Event
from ledger.store.views import Asked, Session, Sought, Views, nothing


class Lookup:
    """The events beyond the first of long streams that one append has to do with, each found by a mark of it."""

    def __init__(self, session: Session, views: Views, streams: Mapping[str, Stream]) -> None:
        self._session = session
        self._views = views
        self._streams = streams
        self._told: dict[str, LongTold] = {}
        self._found: dict[Sought, Sequence[Event]] = {}

    def ask(self, names: Collection[str], batch: Iterable[Transition]) -> Asked[None]:
        """Ask what long streams have told of what a batch says of them; read when called."""
        now = clock.now()
        said = ((name, said) for said in batch if (name := f"{said.fact.kind}:{said.job}") in names)
        return self._ask({(name, mark) for name, it in said for mark in sought_by(it, self._streams[name].latest, now)})

    def told(self, name: str, stream: Stream) -> LongTold:
        """What a long stream has told; what is not among the first is looked for, if it was on record before."""
        if name not in self._told:
            seek = partial(self._seek, name) if stream.stored > SHORT_EVENTS_MAX else None
            self._told[name] = LongTold(stream.told, seek)
        return self._told[name]

    def _ask(self, sought: Collection[Sought]) -> Asked[None]:
        if not sought:
            return nothing
        asked = self._views.told(self._session, sought)

        def read() -> None:
            found = asked()
            for name, mark in sought:
                self._found[name, mark] = found.get((name, mark), ())
                if not mark.sign and (name, mark) not in found:
                    self._streams[name].latest = mark.at

        return read

    def _seek(self, name: str, mark: Mark) -> Iterable[Event]:
        latest = self._streams[name].latest
        if latest is not None and mark.at is not None and mark.at > latest:
            return ()
        if (name, mark) not in self._found:
            self._ask({(name, mark)})()
        return self._found[name, mark]
