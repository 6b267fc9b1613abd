INSERT INTO running_jobs
SELECT * FROM json_populate_recordset(NULL::running_jobs, %(rows)s)
ON CONFLICT (job, entity_type, entity_id, role, from_position) DO UPDATE SET
    to_position = excluded.to_position,
    until = excluded.until
