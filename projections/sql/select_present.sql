-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT
    held.job, held.root, held.entity_type AS type, held.entity_id AS id, held.access, held.since,
    told.owner, told.job_type, told.progress
FROM json_to_recordset(%(limits)s::json) AS asked (job_type text, type text, id text)
CROSS JOIN LATERAL (
    SELECT * FROM projections.running_jobs
    WHERE entity_type = asked.type AND entity_id = asked.id AND to_position IS NULL
    OFFSET 0
) AS held
CROSS JOIN LATERAL (
    SELECT owner, type AS job_type, progress FROM projections.job_status WHERE job = held.job OFFSET 0
) AS told
WHERE told.job_type = asked.job_type
