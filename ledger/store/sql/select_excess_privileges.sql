SELECT roles.rolname AS role, wanted.privilege
FROM pg_roles AS roles
CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'INSERT']) AS wanted (privilege)
WHERE roles.rolname IN ('jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer')
    AND has_table_privilege(roles.oid, 'ledger.stored_events', wanted.privilege)
UNION ALL
SELECT roles.rolname, 'INSERT of ' || forged.name
FROM pg_roles AS roles
CROSS JOIN unnest(ARRAY['notification_id', 'recorded_at']) AS forged (name)
WHERE roles.rolname IN ('jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer')
    AND has_column_privilege(roles.oid, 'ledger.stored_events', forged.name, 'INSERT')
