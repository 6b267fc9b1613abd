from ledger.application import Ledger


def test_what_a_late_report_says_of_the_executor_does_not_apply(ledger: Ledger) -> None:
    """A late event and a dispute leave the executor's last word, and only become the last event."""
    ledger.plan("Build", job="a")
    ledger.start("a", raw="RUN")
    ledger.fail("a", raw="ERROR")
    report = {"event": "succeeded", "at": "2026-01-01T00:00:00Z", "raw": "OK"}
    ledger.record({"job": "a", "event": "late", "report": report, "because": "closed", "raw": "OK"})
    ledger.dispute("a", raw="OK")
    view = ledger.job("a")
    assert (view.raw, view.outcome, view.last_event) == ("ERROR", "failed", "disputed")
