import psycopg
import pytest

from ledger.application import Ledger
from ledger.errors import DiskFull, LedgerError, Unavailable

AT_COMMIT = """
CREATE FUNCTION projections.fail_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'found at commit' USING ERRCODE = '{}';
END
$$;
CREATE CONSTRAINT TRIGGER fail_at_commit AFTER INSERT ON projections.job_status
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION projections.fail_at_commit();
"""


@pytest.mark.parametrize(
    ("state", "kind"), [("53100", DiskFull), ("23503", Unavailable), ("40001", Unavailable), ("XX001", Unavailable)]
)
@pytest.mark.parametrize("children", [0, 60])
def test_an_error_at_commit_is_told_as_it_is(
    superuser: str, ledger: Ledger, state: str, kind: type[LedgerError], children: int
) -> None:
    """A full disk, a deferred constraint, a serialization failure; of one event or of many. Nothing is recorded."""
    below = [{"job": f"b/{n}", "type": "C"} for n in range(children)]
    ledger.plan("T", job="a")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(AT_COMMIT.format(state))
        with pytest.raises(kind, match="found at commit") as caught:
            ledger.plan("T", job="b", children=below)
        assert type(caught.value) is kind
        assert caught.value.facts["sqlstate"] == state
        assert ledger.position() == 1

        connection.execute("DROP TRIGGER fail_at_commit ON projections.job_status")
        assert ledger.plan("T", job="b", children=below).position == 2
