SELECT level, number, hashes, sums
FROM ledger.tiles
WHERE level = %(level)s AND number BETWEEN %(first)s AND %(last)s
ORDER BY number
