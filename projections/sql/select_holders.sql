-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT held.*, told.owner, told.job_type, told.progress
FROM (
    SELECT DISTINCT held.job, held.root, held.entity_type AS type, held.entity_id AS id, held.access, held.since
    FROM unnest(%(types)s::text[], %(ids)s::text[], %(exclusives)s::boolean[]) AS asked (type, id, exclusive)
    JOIN running_jobs AS held
        ON held.entity_type = asked.type
        AND held.entity_id = asked.id
        AND held.to_position IS NULL
        AND (held.access = 'exclusive' OR (asked.exclusive AND held.access = 'shared'))
) AS held
CROSS JOIN LATERAL (
    SELECT owner, type AS job_type, progress FROM job_status WHERE job = held.job OFFSET 0
) AS told
