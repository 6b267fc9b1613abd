INSERT INTO ledger.checkpoints (size, note) VALUES (%(size)s, %(note)s)
