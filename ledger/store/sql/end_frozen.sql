SELECT ledger.end_frozen(%(key)s) AS became
