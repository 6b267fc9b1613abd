SELECT wanted.name
FROM unnest(ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
