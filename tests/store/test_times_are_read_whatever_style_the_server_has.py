from itertools import islice

from psycopg.conninfo import make_conninfo

from ledger.service.assembly import assemble
from ledger.service.readiness import WRITER

STYLES = "-c datestyle=German -c intervalstyle=iso_8601 -c timezone=Asia/Kathmandu"


def test_times_are_read_whatever_style_the_server_has(conninfo: str) -> None:
    styled = make_conninfo(conninfo, options=f"{WRITER} {STYLES}")
    with assemble(conninfo) as ledger, assemble(styled) as other:
        for each, job in ((ledger, "a"), (other, "b")):
            vm = {"type": "vm", "id": "v", "access": "none"}
            each.plan("T", job=job, deadline="2100-01-01T00:00:00Z", entities=[vm])
        assert other.job("a")._replace(elapsed_seconds=None) == ledger.job("a")._replace(elapsed_seconds=None)
        assert [*other.history("a"), *other.history("b")] == [*ledger.history("a"), *ledger.history("b")]
        assert other.as_of(1).job("a") == ledger.as_of(1).job("a")
        assert [*islice(other.watch(0), 2)] == [*ledger.events()]
        assert [job.job for job in other.busy("vm/v").jobs] == ["a", "b"]
        assert other.expiry() == ledger.expiry()
