SELECT size, note, sealed_at FROM ledger.checkpoints WHERE size <= %(upto)s ORDER BY size, number
