"""A job made of its rows in the views, and not of its events, so that it takes as long however many these are."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from ledger.domain.entities import Access, Entity
from ledger.domain.events import Limit, Planned
from ledger.domain.job import Job, names_children
from ledger.domain.states import EndAction, Outcome, Phase
from ledger.domain.values import print_time
from ledger.errors import IntegrityFailure
from ledger.store.mapper import read_event
from ledger.store.views import Asked, Session
from projections.document import NOT_WRITTEN_BY_US, Document
from projections.inline.job_status import Status
from projections.inline.running_jobs import StayRow, Stays
from projections.statements import INLINE as SQL


def recalling(kept: str) -> str:
    """The statement that recalls jobs from the snapshots that `kept` finds."""
    return "WITH kept AS ({}) {}".format(kept, SQL["select_kept"])


_RECALL = recalling(SQL["select_kept_now"])


class KeptJob(NamedTuple):
    """What the views keep of one job, and how many bytes that has as JSON."""

    status: Status
    stays: Stays
    size: int


def recall(session: Session, jobs: Iterable[str]) -> Asked[Mapping[str, tuple[Job, KeptJob]]]:
    """The jobs that are on record, each as its events leave it, and what the views keep of it."""
    cursor = session.execute(_RECALL, {"jobs": to_json(list(jobs)).decode()})
    return lambda: {row["job"]: _recall(session, row) for row in cursor.fetchall()}


def keep(row: Mapping[str, Any]) -> KeptJob:
    """What the views kept at a position, as a row of `select_kept` tells it; raises `IntegrityFailure`."""
    with _of(row):
        return _keep(row, from_json(row["document"]))[0]


@contextmanager
def _of(row: Mapping[str, Any]) -> Iterator[None]:
    """Tells of a row that is not what the ledger wrote."""
    try:
        yield
    except NOT_WRITTEN_BY_US as error:
        raise IntegrityFailure(
            f"The views must say of job {row['job']} what the ledger wrote; run jobledger projections rebuild.",
            stream=f"job:{row['job']}",
        ) from error


def _keep(row: Mapping[str, Any], document: Document) -> tuple[KeptJob, list[StayRow]]:
    """The same, and the last stay of each entity that the job touched."""
    last = list(_stays(row, document))
    stays = Stays(document["job"], document["root"])
    for stay in last:
        if stay["to_position"] is None or stay["to_position"] > row["position"]:
            stays.keep(stay | {"to_position": None})
    size = len(row["document"]) + len(row["entities"])
    return KeptJob(Status(document, from_json(row["entities"])), stays, size), last


def _recall(session: Session, row: Mapping[str, Any]) -> tuple[Job, KeptJob]:
    with _of(row):
        return _read(session, row, from_json(row["document"]))


def _read(session: Session, row: Mapping[str, Any], document: Document) -> tuple[Job, KeptJob]:
    kept, last = _keep(row, document)
    if document.get("outcome") == Outcome.REFUSED:
        return _refused(document), kept
    if "damaged" in document:  # nothing more is decided of it, nor read
        return _job(document, (), (), None), kept
    held = (None, document.get("closed_position"))
    entities = tuple(_entity(stay) for stay in last if stay["to_position"] in held)
    return _job(document, entities, _limits(row, document["job"]), _claimed_by(session, document)), kept


def _refused(document: Document) -> Job:
    """A job that was refused is nothing but that, until it is planned."""
    flags = {name: document.get(name, False) for name in ("held", "expired")}
    return Job(document["job"], document["version"], Phase.CLOSED, Outcome.REFUSED, damaged=_damaged(document), **flags)


def _damaged(document: Document) -> str | None:
    return document["damaged"]["why"] if "damaged" in document else None


def _job(
    document: Document, entities: tuple[Entity, ...], limits: tuple[Limit, ...], claimed_by: tuple[str, int] | None
) -> Job:
    outcome = Outcome(document["outcome"]) if "outcome" in document else None
    return Job(
        id=document["job"],
        phase=Phase(document["phase"]),
        outcome=outcome,
        end_action=EndAction(document.get("end_action", EndAction.NONE)),
        entities=entities,
        limits=limits,
        claimed_by=claimed_by,
        damaged=_damaged(document),
        lost_through_children=outcome is Outcome.UNKNOWN and names_children(document.get("evidence")),
        **{name: document[name] for name in _THE_SAME if name in document},
    )


_MADE = frozenset(
    {"damaged", "id", "phase", "outcome", "end_action", "entities", "limits", "claimed_by", "lost_through_children"}
)
_THE_SAME = tuple(name for name in Job._fields if name not in _MADE)  # in the document, and by default


def _entity(stay: StayRow) -> Entity:
    access = Access(stay["access"])
    return Entity.model_construct(type=stay["entity_type"], id=stay["entity_id"], role=stay["role"], access=access)


def _limits(row: Mapping[str, Any], job: str) -> tuple[Limit, ...]:
    """The limits of the plan; the row has its event where that seems to say any."""
    if row["planned"] is None:
        return ()
    fact = read_event(f"job:{job}", 1, Planned.topic, bytes(row["planned"])).fact
    assert isinstance(fact, Planned)  # noqa: S101 - its topic says so
    return fact.limits


def _claimed_by(session: Session, document: Document) -> tuple[str, int] | None:
    """Who has taken the end action; an earlier release did not write that down, and then it stands in the event."""
    if "claimed_by" in document:
        return tuple(document["claimed_by"])
    if document["phase"] != Phase.CLOSING:
        return None
    said = from_json(
        bytes(session.execute(SQL["select_claim"], {"stream": f"job:{document['job']}"}).fetchall()[0]["state"])
    )
    return said.get("owner") or "", said.get("epoch") or 0


def _stays(row: Mapping[str, Any], document: Document) -> Iterator[StayRow]:
    """The last stay of each entity, as a row of `running_jobs`, in the order in which they began."""
    told = {tuple(stay[:3]): stay for stay in row["stays"] or ()}  # what was made, too, is touched twice
    for kind, name, role, access, from_position, since, to_position in sorted(told.values(), key=itemgetter(4)):
        yield {
            "job": document["job"],
            "root": document["root"],
            "entity_type": kind,
            "entity_id": name,
            "role": role,
            "access": access,
            "from_position": from_position,
            "since": print_time(datetime.fromisoformat(since)),
            "to_position": to_position,
            "until": None,
        }
