-- Those of all types, since how many hold an entity decides how they are looked for.
SELECT asked.job_type AS asked, held.*, told.owner, told.job_type, told.progress
FROM json_to_recordset(%(counted)s::json) AS asked (job_type text, type text, id text)
CROSS JOIN LATERAL (
    SELECT job, root, entity_type AS type, entity_id AS id, access, since
    FROM projections.running_jobs
    WHERE entity_type = asked.type AND entity_id = asked.id AND to_position IS NULL
    ORDER BY entity_type, entity_id, access, root, from_position
    LIMIT %(at_most)s
) AS held
CROSS JOIN LATERAL (
    SELECT owner, type AS job_type, progress FROM projections.job_status WHERE job = held.job OFFSET 0
) AS told
