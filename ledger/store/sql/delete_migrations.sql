DELETE FROM ledger.migrations WHERE schema = %(schema)s
