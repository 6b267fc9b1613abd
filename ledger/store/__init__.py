"""Events in PostgreSQL: appended in one order, never changed, read back as they were written.

`recorder` appends, `feed` follows, `migrate` owns the schema. What is said of order, of append-only and of who may do
what is held by the database itself (`migrations/`), so that no other program can break it. This room knows views only
through the protocol `Views`; it interprets no event but to read and write it.
"""
