SELECT ledger.take_append_lock()
