-- OFFSET 0 keeps the planner to the indexes, whatever it takes the size of a young table for.
WITH named AS (
    SELECT found.job
    FROM unnest(%(executors)s::text[], %(external_ids)s::text[]) AS asked (executor, external_id)
    CROSS JOIN LATERAL (
        SELECT job FROM job_status AS status
        WHERE status.executor = asked.executor AND status.external_id = asked.external_id
        OFFSET 0
    ) AS found
    UNION
    SELECT found.job
    FROM unnest(%(executors)s::text[], %(tokens)s::text[]) AS asked (executor, token)
    CROSS JOIN LATERAL (
        SELECT job, executor FROM job_status AS status WHERE status.token = asked.token OFFSET 0
    ) AS found
    WHERE found.executor = asked.executor
)
SELECT document::text AS told, planned_position
FROM job_status
WHERE phase <> 'closed' OR outcome = 'unknown'
UNION ALL
SELECT closed.told, closed.planned_position
FROM named
CROSS JOIN LATERAL (
    SELECT phase, outcome, planned_position, document::text AS told FROM job_status WHERE job = named.job OFFSET 0
) AS closed
WHERE closed.phase = 'closed' AND closed.outcome <> 'unknown'
ORDER BY planned_position
