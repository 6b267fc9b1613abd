"""The statements of the views by the names of their files, for those who fill views and those who only ask."""

from ledger.store.statements import load_statements

SQL = load_statements("projections")
