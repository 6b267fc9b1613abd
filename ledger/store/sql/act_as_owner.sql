-- For the whole session: whoever may migrate need not inherit what the owner of the ledger may do.
SELECT set_config('role', rolname, false)
FROM pg_namespace
JOIN pg_roles ON pg_roles.oid = nspowner
WHERE nspname = 'ledger' AND rolname <> current_user
