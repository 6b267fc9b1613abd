SELECT ledger::text AS ledger, created_at FROM ledger.identity
