SELECT verifier_key, rotation FROM ledger.seal_keys ORDER BY number
