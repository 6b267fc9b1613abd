import re
from pathlib import Path

import pytest

from ledger import Listing
from ledger.service.assembly import assemble

README = Path(__file__).parents[2] / "README.md"


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
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)

    for block in blocks:
        exec(compile(block, str(README), "exec"), {"agent": Agent()})

    assert capsys.readouterr().out == "queued\n"
    with assemble(conninfo) as ledger:
        assert ledger.job("remove-d-40").outcome == "unknown"
