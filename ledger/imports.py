"""The two names that we are imported by, `ledger` and `projections`, and whoever hides one of them from us."""

import sys
from importlib.util import find_spec
from pathlib import Path

NAMES = ("ledger", "projections")
_HOME = Path(__file__).parents[1]


def explained(error: ImportError) -> ImportError:
    """The same error, or the one sentence that says whose module is found in the place of ours."""
    for name in NAMES:
        found = _place(name)
        if found is not None and found != _HOME / name / "__init__.py":
            return ImportError(
                f"The import name {name} must be that of jobledger, and is {found}; rename that one, or let sys.path "
                "name its folder behind jobledger's.",
                name=name,
                path=str(found),
            )
    return error


def _place(name: str) -> Path | None:
    """Where a module is that was imported by a name or would be."""
    module = sys.modules.get(name)
    try:
        origin = (module.__file__ if module else None) or getattr(find_spec(name), "origin", None)
    except (ImportError, ValueError):  # what hides us cannot be found either
        return None
    return Path(origin) if origin else None
