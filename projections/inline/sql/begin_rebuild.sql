SELECT ledger.begin_rebuild(%(tables)s)
