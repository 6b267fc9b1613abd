import inspect
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from ledger import errors

ROOT = Path(__file__).parents[2]


def _modules() -> list[ModuleType]:
    paths = [path for room in ("ledger", "projections") for path in sorted((ROOT / room).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [import_module(name) for name in names]


def exceptions_of(module: ModuleType) -> set[str]:
    """The exceptions that a module defines, under whatever name and by whatever base class, also within a class."""
    found, left, seen = set(), [module], set[int]()
    while left:
        holder = left.pop()
        for value in vars(holder).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and id(value) not in seen:
                seen.add(id(value))
                left.append(value)  # type: ignore[arg-type] # whatever has names of its own
                if issubclass(value, BaseException):
                    found.add(value.__qualname__)
    return found


def test_only_errors_defines_exceptions() -> None:
    found = {f"{module.__name__}.{name}" for module in _modules() for name in exceptions_of(module)}

    assert {name for name in found if not name.startswith("ledger.errors.")} == set()
    assert f"ledger.errors.{errors.Conflict.__name__}" in found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class Trouble(KeyError): pass", {"Trouble"}),
        ("from ledger.errors import Conflict\nclass Odd(Conflict): pass", {"Odd"}),
        ("class Stop(BaseException): pass", {"Stop"}),
        ("class Room:\n    class Fault(Exception): pass", {"Room.Fault"}),
        ("from ledger.errors import Conflict\nclass NoError: pass", set()),
    ],
)
def test_an_exception_elsewhere_is_found_out(source: str, found: set[str]) -> None:
    module = ModuleType("elsewhere")
    sys.modules["elsewhere"] = module
    try:
        exec(source, vars(module))
    finally:
        del sys.modules["elsewhere"]

    assert exceptions_of(module) == found
