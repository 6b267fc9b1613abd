"""The statements of the views by the names of their files, for those who fill views and those who only ask."""

from ledger.store.statements import load_statements

SQL = load_statements("projections")
# The same about the views that are built beside the live ones. Each statement names the schemas that it speaks of: what
# stands in the path of a session has no say in it.
BESIDE = {name: text.replace("projections.", "projections_rebuild.") for name, text in SQL.items()}
