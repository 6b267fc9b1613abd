SELECT ledger.take_rebuild_lock()
