SELECT level, number, hashes, sums FROM ledger.tiles WHERE level = %(level)s AND number = %(number)s
