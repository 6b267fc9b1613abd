-- Whoever asks, and of each role of the ledger that there is, whether its rights are his.
SELECT current_user::text AS who, rolname::text AS role, pg_has_role(oid, 'USAGE') AS held
FROM pg_roles
WHERE rolname = ANY(%(roles)s)
