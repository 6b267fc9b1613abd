-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for. A job that holds an entity in
-- several roles comes several times.
SELECT asking.*, found.*
FROM (
    SELECT
        (SELECT coalesce(min(position), 0) FROM tracking) AS reached,
        (SELECT root FROM job_status WHERE job = %(besides)s) AS besides
) AS asking
LEFT JOIN LATERAL (
    SELECT running.entity_type, running.entity_id, running.from_position, shown.*
    FROM json_to_recordset(%(entities)s::json) AS asked (type text, id text)
    CROSS JOIN LATERAL (
        SELECT entity_type, entity_id, job, root, from_position
        FROM running_jobs
        WHERE entity_type = asked.type
            AND entity_id = asked.id
            AND access = ANY(%(accesses)s::text[])
            AND to_position IS NULL
        OFFSET 0
    ) AS running
    CROSS JOIN LATERAL (SELECT * FROM job_view WHERE job = running.job OFFSET 0) AS shown
    WHERE running.root IS DISTINCT FROM asking.besides
) AS found ON true
