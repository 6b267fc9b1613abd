SELECT schema, number, name, checksum FROM ledger.migrations ORDER BY schema, number
