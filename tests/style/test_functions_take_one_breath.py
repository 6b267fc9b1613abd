"""A wall over the source itself: no function above seventy lines, no file above five hundred."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES_MAX, FILE_LINES_MAX = 70, 500
SOURCES = [path for room in ("ledger", "projections") for path in (ROOT / room).rglob("*.py")]


def test_functions_take_one_breath() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LINES_MAX
    ]

    assert long == []


def test_files_are_one_thing() -> None:
    assert [str(path) for path in SOURCES if path.read_text().count("\n") > FILE_LINES_MAX] == []


def test_only_errors_defines_exceptions() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id.endswith(("Error", "Exception")) for base in node.bases)
    ]

    assert found == []
