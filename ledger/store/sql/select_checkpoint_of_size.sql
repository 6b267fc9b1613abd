SELECT note FROM ledger.checkpoints WHERE size = %(size)s ORDER BY number DESC LIMIT 1
