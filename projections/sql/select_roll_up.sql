-- UNION meets each job once, though a refused one may name a parent that is below it. OFFSET 0 keeps the planner to the
-- index, whatever it takes the size of a young table for. `shares` are of the open jobs that count, those that told none
-- aside: percent, done and total, as they were told.
WITH RECURSIVE below AS (
    SELECT job FROM job_status WHERE job = %(job)s
    UNION
    SELECT child.job
    FROM below
    CROSS JOIN LATERAL (SELECT job FROM job_status WHERE parent = below.job OFFSET 0) AS child
),
part AS MATERIALIZED (
    SELECT told.*
    FROM below
    CROSS JOIN LATERAL (
        SELECT job, parent, retry_of, phase, outcome, outcome IS DISTINCT FROM 'refused' AS counts, progress
        FROM job_status
        WHERE job = below.job
        OFFSET 0
    ) AS told
),
stood_for AS MATERIALIZED (
    SELECT parent AS job FROM part WHERE counts AND parent IS NOT NULL
    UNION
    SELECT retry_of FROM part WHERE counts AND retry_of IS NOT NULL
),
leaf AS MATERIALIZED (
    SELECT phase, progress FROM part WHERE counts AND job NOT IN (SELECT job FROM stood_for)
)
SELECT
    (SELECT coalesce(min(position), 0) FROM tracking) AS reached,
    (SELECT count(*) FROM part) AS jobs,
    (SELECT json_object_agg(phase, jobs) FROM (SELECT phase, count(*) AS jobs FROM part GROUP BY phase) AS each)
        AS phases,
    (
        SELECT json_object_agg(outcome, jobs)
        FROM (SELECT outcome, count(*) AS jobs FROM part WHERE outcome IS NOT NULL GROUP BY outcome) AS each
    ) AS outcomes,
    (SELECT count(*) FROM leaf) AS leaves,
    (SELECT count(*) FROM leaf WHERE phase = 'closed') AS closed,
    (
        SELECT json_agg(json_build_array(progress -> 'percent', progress -> 'done', progress -> 'total'))
        FROM leaf
        WHERE phase <> 'closed' AND progress IS NOT NULL
    ) AS shares
