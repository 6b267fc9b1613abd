SELECT ledger.analyze_rebuild()
