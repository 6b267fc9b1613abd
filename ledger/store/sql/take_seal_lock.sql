SELECT ledger.take_seal_lock()
