SELECT note FROM ledger.checkpoints ORDER BY size DESC, number DESC LIMIT 1
