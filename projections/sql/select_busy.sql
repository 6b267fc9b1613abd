-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT reached.reached, found.*
FROM (SELECT coalesce(min(position), 0) AS reached FROM tracking) AS reached
LEFT JOIN (
    SELECT open.entity_type, open.entity_id, open.from_position, shown.*
    FROM (
        SELECT running.entity_type, running.entity_id, running.job, min(running.from_position) AS from_position
        FROM unnest(%(types)s::text[], %(ids)s::text[]) AS asked (type, id)
        JOIN running_jobs AS running
            ON running.entity_type = asked.type AND running.entity_id = asked.id AND running.to_position IS NULL
        GROUP BY running.entity_type, running.entity_id, running.job
    ) AS open
    CROSS JOIN LATERAL (SELECT * FROM job_view WHERE job = open.job OFFSET 0) AS shown
) AS found ON true
ORDER BY found.from_position, found.planned_position
