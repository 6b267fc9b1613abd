SELECT ledger.swap_rebuild()
