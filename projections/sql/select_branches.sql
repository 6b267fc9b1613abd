-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
WITH RECURSIVE below AS (
    SELECT job FROM projections.job_status WHERE job = %(job)s
    UNION ALL
    SELECT child.job
    FROM below
    CROSS JOIN LATERAL (SELECT job FROM projections.job_status WHERE parent = below.job OFFSET 0) AS child
) CYCLE job SET met USING way
SELECT (SELECT coalesce(min(position), 0) FROM projections.tracking) AS reached, part.*
FROM below
CROSS JOIN LATERAL (
    SELECT job, parent, retry_of, phase, outcome, progress FROM projections.job_status WHERE job = below.job OFFSET 0
) AS part
WHERE NOT below.met
