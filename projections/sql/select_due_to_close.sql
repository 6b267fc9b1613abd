-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT now() AS asked_at, document::text AS told
FROM job_status AS parent
WHERE
    end_action = 'owner'
    AND phase NOT IN ('closing', 'closed')
    AND EXISTS (
        SELECT FROM job_status AS child WHERE child.parent = parent.job AND child.outcome IS DISTINCT FROM 'refused'
        OFFSET 0
    )
    AND NOT EXISTS (
        SELECT FROM job_status AS child WHERE child.parent = parent.job AND child.phase <> 'closed' OFFSET 0
    )
ORDER BY planned_position
LIMIT %(limit)s
