"""Whether an entity is busy is answered without reading the jobs; whoever looks at them finds a sequence like any."""

import pytest

from ledger.application import Ledger
from ledger.asking.answers import Jobs, JobView
from projections.queries import now as queries

ON_A_DISK = [{"type": "disk", "id": "d", "role": "target", "access": "shared"}]


def test_a_document_is_read_when_its_job_is_looked_at(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A yes and a count cost no reading."""
    for job in ("j1", "j2"):
        ledger.plan("T", job=job, entities=ON_A_DISK)
    read = queries._read
    looked_at: list[str] = []

    def note(row: queries.ViewRow) -> JobView:
        looked_at.append(row["job"])
        return read(row)

    monkeypatch.setattr(queries, "_read", note)
    answer = ledger.busy("disk/d")
    assert (answer.busy, len(answer.jobs)) == (True, 2)
    assert looked_at == []

    assert answer.jobs[-1].job == "j2"
    assert [job.job for job in answer.jobs] == looked_at == ["j1", "j2"]  # each once


def test_jobs_that_are_read_later_are_a_sequence_like_any(ledger: Ledger) -> None:
    """They equal a list of the same jobs, and come in slices."""
    told = [ledger.job(ledger.plan("T", job=job, entities=ON_A_DISK).job) for job in ("j1", "j2")]
    jobs = Jobs(["j1", "j2"], ledger.job)
    assert jobs == told
    assert told == jobs
    assert jobs != told[:1]
    assert jobs[1:] == told[1:]
    assert repr(jobs) == repr(told)
    assert told[1] in jobs
    assert ledger.busy("disk/free").jobs == []
