import json

from ledger.application import Ledger

CHILDREN = 2_000


def test_a_parent_of_thousands_closes_with_its_last_child(ledger: Ledger) -> None:
    """Whatever the order in which they close, and with one of them retried."""
    children = [{"job": f"c{n}", "type": "Part"} for n in range(CHILDREN)]
    ledger.plan("Whole", job="whole", end_action="auto", children=children)
    ledger.plan("Part", job="again", parent="whole", retry_of="c7")
    ends = {f"c{n}": "failed" if n == 7 else "succeeded" for n in range(CHILDREN)}
    order = [*(f"c{n}" for n in range(1, CHILDREN)), "again"]

    ledger.import_records(json.dumps({"job": job, "event": ends.get(job, "succeeded")}).encode() for job in order)

    assert not ledger.job("whole").done
    ledger.succeed("c0")
    assert ledger.job("whole").ok is True
