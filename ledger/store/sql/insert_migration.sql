INSERT INTO ledger.migrations (schema, number, name, checksum)
VALUES (%(schema)s, %(number)s, %(name)s, %(checksum)s)
