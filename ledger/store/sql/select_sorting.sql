-- The collations by which this database, or an index in the schemas of the ledger, sorts otherwise than when it was made.
SELECT
    'The database ' || quote_ident(datname) AS what,
    'DATABASE ' || quote_ident(datname) AS remedy,
    datcollversion AS made,
    pg_database_collation_actual_version(oid) AS there
FROM pg_database
WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid)

UNION ALL
SELECT DISTINCT
    'An index in the collation ' || collations.oid::regcollation,
    'COLLATION ' || collations.oid::regcollation,
    collversion,
    pg_collation_actual_version(collations.oid)
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
CROSS JOIN LATERAL unnest(indcollation::oid[]) AS used (oid)
JOIN pg_collation AS collations ON collations.oid = used.oid
WHERE nspname IN ('ledger', 'projections', 'history') AND collversion <> pg_collation_actual_version(collations.oid)
