-- What is `asked` stands in front. OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table
-- for. A job that holds an entity in several roles comes several times.
SELECT asking.*, found.*
FROM (SELECT views_reached AS reached, now() AS asked_at) AS asking
LEFT JOIN LATERAL (
    SELECT running.*, status.*
    FROM asked
    CROSS JOIN LATERAL (
        SELECT entity_type, entity_id, job, from_position
        FROM projections.running_jobs
        WHERE entity_type = asked.type
            AND entity_id = asked.id
            AND access = ANY(%(accesses)s::text[])
            AND to_position IS NULL
            AND root IS DISTINCT FROM %(besides)s::text
        OFFSET 0
    ) AS running
    CROSS JOIN LATERAL (SELECT planned_position, document::text, entities::text FROM projections.job_status WHERE job = running.job OFFSET 0) AS status
) AS found ON true
