INSERT INTO ledger.tiles (level, number, hashes, sums)
SELECT grown.level, grown.number, grown.hashes, grown.sums
FROM unnest(%(levels)b::smallint[], %(numbers)b::bigint[], %(hashes)b::bytea[], %(sums)b::bytea[])
    AS grown (level, number, hashes, sums)
ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes, sums = excluded.sums
