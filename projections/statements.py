"""The statements of each room by the names of their files, and those that rooms share.

How far views are is told by most answers, and said once: `views_reached`, `history_reached` and `activity_reached`
stand for it in a statement.
"""

from collections.abc import Mapping

from ledger.store.statements import load_statements

SHARED = load_statements("projections")
_REACHED = {
    "views_reached": SHARED["select_position"],
    "history_reached": SHARED["select_followed_position"].replace("followed_view", "'history'"),
    "activity_reached": SHARED["select_followed_position"].replace("followed_view", "'activity'"),
}


def _load(room: str) -> Mapping[str, str]:
    statements = dict(load_statements(f"projections.{room}"))
    for word, position in _REACHED.items():
        statements = {name: text.replace(word, f"({position})") for name, text in statements.items()}
    return statements


INLINE = _load("inline")
FOLLOWED = _load("followed")
QUERIES = _load("queries")
# The same about the views that are built beside the live ones. Each statement names the schemas that it speaks of: what
# stands in the path of a session has no say in it.
BESIDE = {name: text.replace("projections.", "projections_rebuild.") for name, text in INLINE.items()}
