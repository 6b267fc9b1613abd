"""Events in PostgreSQL: appended in one order, never changed, read back as they were written.

`mapper` says what a row is, `feed` follows, `migrate` owns the schema. What is said of order, of append-only and of who
may do what is held by the database itself (`migrations/`), so that no other program can break it. This room knows views
only through the protocol `Views`; it interprets no event but to read and write it.

To add a migration:

1. `<number>_<name>.sql`, with the next number of its folder: `migrations/` here for the schema `ledger`,
   `projections/inline/migrations` for `projections`, `projections/followed/migrations` for `history`. It is run once,
   with its schema as the search path, in one transaction with all others that are pending.
2. Texts are in the order "C". `sql/own_views.sql` names a table of a view; `sql/grant_privileges.sql` and
   `sql/grant_sealing.sql` say who may call a function, and write to a table of `ledger`.
3. `scripts/inventory` writes `inventory.tsv` anew, by which `doctor` knows what is the ledger's.
4. `tests/store/test_migrations_bring_any_older_database_to_this_release.py`: its checksum in `PUBLISHED`. Once it is
   published it may never change; what was wrong in it is the matter of the next one.
5. Where an older ledger has rows that it concerns, a test there that begins with such.
"""
