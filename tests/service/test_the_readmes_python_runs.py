import pytest

from ledger import Listing
from ledger.service.assembly import assemble
from tests.readme import README, blocks


class Agent:
    """The outside system of the example."""

    name = "storage-agent"

    def list(self) -> Listing:
        return Listing(self.name)

    def ask(self, external_id: str | None, token: str | None) -> None:
        return None

    def remove(self, disk: str, token: str) -> str:
        return f"{disk}-{token}"


def test_the_readmes_python_runs(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBLEDGER_DSN", conninfo)

    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), {"agent": Agent()})

    assert capsys.readouterr().out == "queued\n"
    with assemble(conninfo) as ledger:
        assert ledger.job("remove-d-40").outcome == "unknown"
