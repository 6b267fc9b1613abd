-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT asking.*, found.*
FROM (
    SELECT
        (SELECT coalesce(min(position), 0) FROM tracking) AS reached,
        (SELECT root FROM job_status WHERE job = %(besides)s) AS besides
) AS asking
LEFT JOIN LATERAL (
    SELECT open.entity_type, open.entity_id, open.from_position, shown.*
    FROM (
        SELECT running.entity_type, running.entity_id, running.job, min(running.from_position) AS from_position
        FROM unnest(%(types)s::text[], %(ids)s::text[]) AS asked (type, id)
        CROSS JOIN LATERAL (
            SELECT entity_type, entity_id, job, root, from_position
            FROM running_jobs
            WHERE entity_type = asked.type
                AND entity_id = asked.id
                AND access = ANY(%(accesses)s::text[])
                AND to_position IS NULL
            OFFSET 0
        ) AS running
        WHERE running.root IS DISTINCT FROM asking.besides
        GROUP BY running.entity_type, running.entity_id, running.job
    ) AS open
    CROSS JOIN LATERAL (SELECT * FROM job_view WHERE job = open.job OFFSET 0) AS shown
) AS found ON true
ORDER BY found.from_position, found.planned_position
