-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
WITH RECURSIVE below AS (
    SELECT job, 0 AS level FROM projections.job_status WHERE job = %(job)s
    UNION ALL
    SELECT child.job, below.level + 1
    FROM below
    CROSS JOIN LATERAL (SELECT job FROM projections.job_status WHERE parent = below.job OFFSET 0) AS child
) CYCLE job SET met USING way
SELECT now() AS asked_at, status.*
FROM below
CROSS JOIN LATERAL (
    SELECT job, planned_position, document::text, entities::text FROM projections.job_status WHERE job = below.job OFFSET 0
) AS status
WHERE NOT below.met
ORDER BY below.level, status.planned_position
