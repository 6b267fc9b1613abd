"""How to add an event, a view, a migration, an error, a command or an adapter stands where one looks, and is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`([\w./]*\w\.(?:py|sql|tsv|toml|md)|(?:scripts|tests|ledger|projections)/[\w/]+)`")
RECIPES = {
    "ledger/domain/__init__.py": "To add an event",
    "projections/inline/__init__.py": "To add one",
    "projections/followed/__init__.py": "To add one",
    "ledger/store/__init__.py": "To add a migration",
    "ledger/errors.py": "To add an error",
    "ledger/service/cli/__init__.py": "To add a command",
    "ledger/executors/__init__.py": "To add an adapter",
}


def missing(recipe: str) -> list[str]:
    """What a recipe names by its whole path, or by its end, and is not there."""
    return [name for name in NAMED.findall(recipe) if not (ROOT / name).exists() and not any(ROOT.glob(f"*/**/{name}"))]


@pytest.mark.parametrize("place", RECIPES)
def test_a_recipe_names_what_is_there(place: str) -> None:
    _, found, recipe = (ast.get_docstring(ast.parse((ROOT / place).read_text())) or "").partition(RECIPES[place])

    assert found
    assert NAMED.findall(recipe)
    assert missing(recipe) == []


def test_what_is_not_there_is_found_out() -> None:
    assert missing("`states.py`, `sql/own_views.sql`, `ledger/store` and `pyproject.toml`") == []
    assert missing("`stages.py` of `ledger/shop` and `scripts/check`") == ["stages.py", "ledger/shop"]
