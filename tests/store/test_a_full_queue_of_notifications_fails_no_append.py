import psycopg

from ledger.application import Ledger


def test_a_listener_that_never_reads_fails_no_append(superuser: str, ledger: Ledger) -> None:
    """Beyond a hundredth of the room appends notify nobody any more: who follows the ledger looks by itself."""
    with (
        psycopg.connect(superuser, autocommit=True) as listener,
        psycopg.connect(superuser, autocommit=True) as admin,
    ):
        listener.execute("LISTEN stored_events")
        listener.execute("BEGIN")  # it reads nothing until its transaction ends
        used = "SELECT pg_notification_queue_usage()"
        filling = "SELECT pg_notify('stored_events', repeat('x', 7000) || n) FROM generate_series(1, 2000) AS n"
        while (found := admin.execute(used).fetchall()[0][0]) < 0.01:
            admin.execute(filling)
        for number in range(300):  # a page of the queue has room for fewer than these
            ledger.plan("T", job=f"j{number}")
        assert admin.execute(used).fetchall()[0][0] == found
        listener.execute("COMMIT")
        assert admin.execute(used).fetchall()[0][0] < 0.01
        listener.execute("SELECT 1")
        ledger.plan("T", job="woken")
        assert {notify.channel for notify in listener.notifies(timeout=5, stop_after=1)} == {"stored_events"}
