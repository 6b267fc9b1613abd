SELECT ledger.end_frozen_append() AS became
