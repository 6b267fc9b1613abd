-- What is `asked` stands in front. OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table
-- for. A job that holds an entity in several roles comes several times.
SELECT asking.reached, found.*
FROM (SELECT coalesce(min(position), 0) AS reached FROM tracking) AS asking
LEFT JOIN LATERAL (
    SELECT running.entity_type, running.entity_id, running.from_position, row_to_json(shown)::text AS told
    FROM asked
    CROSS JOIN LATERAL (
        SELECT entity_type, entity_id, job, from_position
        FROM running_jobs
        WHERE entity_type = asked.type
            AND entity_id = asked.id
            AND access = ANY(%(accesses)s::text[])
            AND to_position IS NULL
            AND root IS DISTINCT FROM %(besides)s::text
        OFFSET 0
    ) AS running
    CROSS JOIN LATERAL (SELECT * FROM job_view WHERE job = running.job OFFSET 0) AS shown
) AS found ON true
