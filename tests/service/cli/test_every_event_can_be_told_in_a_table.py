from ledger.application import Ledger
from tests.service.cli.conftest import Run, on, plan


def test_an_entity_that_is_let_go_in_every_role_is_told(run: Run, ledger: Ledger) -> None:
    ledger.record(plan("d", entities=[on("vm/d1")]))
    ledger.attach("d", [on("vm/d2")])
    ledger.detach("d", [{"type": "vm", "id": "d2"}])
    ledger.succeed("d")

    for words in (("history", "d"), ("history", "job:d"), ("watch", "d")):
        done = run(*words)
        assert done.code == 0, done.err
        [line] = [line for line in done.out.splitlines() if "detached" in line]
        assert "vm/d2" in line


def test_progress_is_told_in_the_unit_that_it_came_in(run: Run, ledger: Ledger) -> None:
    ledger.record(plan("b"))
    ledger.progress("b", done=38, total=120, unit="GiB")

    assert "38 of 120 GiB" in run("history", "job:b event:progressed").out
