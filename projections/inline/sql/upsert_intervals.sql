INSERT INTO projections.running_jobs
SELECT * FROM json_populate_recordset(NULL::projections.running_jobs, %(running_jobs)s::json)
ON CONFLICT (job, entity_type, entity_id, role, from_position) DO UPDATE SET
    to_position = excluded.to_position,
    until = excluded.until
