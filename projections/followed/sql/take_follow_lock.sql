SELECT ledger.take_follow_lock()
