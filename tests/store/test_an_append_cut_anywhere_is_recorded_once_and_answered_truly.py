import psycopg
import pytest

from ledger.appending.recorder import Recorder
from ledger.application import Ledger
from ledger.errors import OutcomeUnknown
from ledger.owners.leases import LeaseTable
from ledger.service.assembly import assemble
from ledger.store.datastore import Datastore
from ledger.store.feed import Feed
from projections.inline.views import InlineViews
from projections.queries.ledger import ViewLedgerQueries
from tests.store.controls import rows
from tests.store.proxy import Proxy

CUTS_MAX = 200
COMMITTED = b"Z\x00\x00\x00\x05I"  # the message by which the server tells that it is idle


def _plan(ledger: Ledger, job: str) -> tuple[int, str]:
    children = [{"job": f"{job}/{n}", "type": "C"} for n in range(4)]
    receipt = ledger.record({"job": job, "event": "planned", "type": "T", "children": children})
    return receipt.position, str(receipt.disposition)


def test_an_append_cut_anywhere_is_recorded_once_and_answered_truly(conninfo: str, superuser: str) -> None:
    with Proxy(conninfo) as proxy, assemble(proxy.conninfo) as ledger:
        _plan(ledger, "first")
        for cut in range(1, CUTS_MAX):
            assert _plan(ledger, "first") == (1, "unchanged")  # so that the connection of appends is there
            proxy.chunks, proxy.cut_at = 0, cut
            position, disposition = _plan(ledger, f"job-{cut}")
            uncut = proxy.chunks < cut
            proxy.cut_at = None
            with psycopg.connect(superuser) as connection:
                stored = rows(connection)
            assert [row["originator_id"] for row in stored].count(f"job:job-{cut}") == 1
            assert stored[position - 1]["originator_id"] == f"job:job-{cut}"
            assert disposition == "recorded"
            assert len(stored) == (cut + 1) * 5
            if uncut:
                break
        else:
            pytest.fail("no append was uncut")
        assert cut > 5


def _over_one_connection(conninfo: str) -> Ledger:
    datastore = Datastore(conninfo, pool_size=1, max_overflow=0)
    recorder = Recorder(datastore, InlineViews())
    leases = LeaseTable(datastore.connection)

    def close() -> None:
        recorder.close()
        datastore.close()

    return Ledger(
        recorder, Feed(datastore, recorder.standpoint), ViewLedgerQueries(datastore.connection), leases, close
    )


def test_what_cannot_be_found_out_is_said_to_be_unknown(
    conninfo: str, superuser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.store.datastore.CONNECT_SECONDS_MAX", 1)
    with Proxy(conninfo) as proxy, _over_one_connection(proxy.conninfo) as ledger:
        _plan(ledger, "first")
        proxy.cut_on, proxy.reachable = COMMITTED, False

        with pytest.raises(OutcomeUnknown):
            _plan(ledger, "third")

        proxy.cut_on, proxy.reachable = None, True
        with psycopg.connect(superuser) as connection:
            assert [row["originator_id"] for row in rows(connection)].count("job:third") == 1
        assert _plan(ledger, "third") == (6, "unchanged")
