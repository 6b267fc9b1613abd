SELECT what, size, why, at FROM ledger.set_aside ORDER BY at, what
