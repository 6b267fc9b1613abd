WITH RECURSIVE below AS (
    SELECT job, planned_position, 0 AS level FROM job_status WHERE job = %(job)s
    UNION ALL
    SELECT child.job, child.planned_position, below.level + 1
    FROM below
    JOIN job_status AS child ON child.parent = below.job
) CYCLE job SET met USING way
SELECT job FROM below WHERE level > 0 AND NOT met ORDER BY level, planned_position
