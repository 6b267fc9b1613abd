SELECT coalesce(max(size), 0) AS size FROM ledger.checkpoints
