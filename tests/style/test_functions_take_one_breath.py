"""A wall over the source itself: no function above seventy lines, no file above five hundred."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES_MAX, FILE_LINES_MAX = 70, 500
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for room in ("ledger", "projections")
    for path in (ROOT / room).rglob("*.py")
}


def long_functions(sources: dict[str, str]) -> list[str]:
    return [
        f"{path}:{node.name}"
        for path, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LINES_MAX
    ]


def long_files(sources: dict[str, str]) -> list[str]:
    return [path for path, source in sources.items() if source.count("\n") > FILE_LINES_MAX]


def test_functions_take_one_breath() -> None:
    assert long_functions(SOURCES) == []


def test_files_are_one_thing() -> None:
    assert long_files(SOURCES) == []


def test_what_is_long_is_found_out() -> None:
    body = "    pass\n" * LINES_MAX
    source = f"class A:\n    async def slow(self):\n{body.replace('    ', '        ')}\n\ndef fast():\n{body}"

    assert long_functions({"a.py": source}) == ["a.py:fast", "a.py:slow"]
    assert long_functions({"a.py": "def brief():\n" + "    pass\n" * (LINES_MAX - 1)}) == []
    assert long_files({"a.py": "\n" * (FILE_LINES_MAX + 1), "b.py": "\n" * FILE_LINES_MAX}) == ["a.py"]
