-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT now() AS asked_at, shown.*
FROM (
    SELECT job, planned_position
    FROM projections.job_status AS parent
    WHERE
        end_action = 'owner'
        AND phase NOT IN ('closing', 'closed')
        AND NOT EXISTS (
            SELECT FROM projections.job_status AS child WHERE child.parent = parent.job AND child.outcome IS NULL OFFSET 0
        )
        AND EXISTS (
            SELECT FROM projections.job_status AS child
            WHERE
                child.parent = parent.job
                AND child.outcome COLLATE "C" = ANY('{succeeded,failed,cancelled,abandoned,unknown}')
            OFFSET 0
        )
    ORDER BY planned_position
    LIMIT %(limit)s
) AS due
CROSS JOIN LATERAL (SELECT job, planned_position, document::text, entities::text FROM projections.job_status WHERE job = due.job OFFSET 0) AS shown
ORDER BY due.planned_position
