INSERT INTO ledger.seal_keys (verifier_key, rotation) VALUES (%(verifier_key)s, %(rotation)s)
