WITH RECURSIVE below AS (
    SELECT job, depth, planned_position FROM job_status WHERE parent = %(job)s
    UNION ALL
    SELECT child.job, child.depth, child.planned_position
    FROM below
    JOIN job_status AS child ON child.parent = below.job
)
SELECT job FROM below ORDER BY depth, planned_position
