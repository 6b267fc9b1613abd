import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


class Agent:
    """The outside system of the example."""

    def remove(self, disk: str, token: str) -> str:
        return f"{disk}-{token}"


def test_the_readmes_python_runs(
    conninfo: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBLEDGER_DSN", conninfo)
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)

    exec(compile(block, str(README), "exec"), {"agent": Agent()})

    assert capsys.readouterr().out == "queued\n"
