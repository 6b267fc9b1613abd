SELECT ledger.clear_rebuild()
