SELECT * FROM ledger.append_holder()
