"""The statements of each room by the names of their files, and those that rooms share."""

from ledger.store.statements import load_statements

SHARED = load_statements("projections")
INLINE = load_statements("projections.inline")
FOLLOWED = load_statements("projections.followed")
QUERIES = load_statements("projections.queries")
# The same about the views that are built beside the live ones. Each statement names the schemas that it speaks of: what
# stands in the path of a session has no say in it.
BESIDE = {name: text.replace("projections.", "projections_rebuild.") for name, text in INLINE.items()}
