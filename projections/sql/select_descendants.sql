-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
WITH RECURSIVE below AS (
    SELECT job, planned_position, 0 AS level FROM projections.job_status WHERE job = %(job)s
    UNION ALL
    SELECT child.job, child.planned_position, below.level + 1
    FROM below
    CROSS JOIN LATERAL (
        SELECT job, planned_position FROM projections.job_status WHERE parent = below.job AND outcome IS DISTINCT FROM 'refused'
        OFFSET 0
    ) AS child
) CYCLE job SET met USING way
SELECT job FROM below WHERE level > 0 AND NOT met ORDER BY level, planned_position
