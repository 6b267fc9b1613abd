-- UNION meets each job once, though a refused one may name a parent that is below it. OFFSET 0 keeps the planner to the
-- index, whatever it takes the size of a young table for. `shares` are of the open jobs that count, those that told none
-- aside: percent, done and total, as they were told.
WITH RECURSIVE part AS (
    SELECT
        job, parent, retry_of, phase, outcome,
        (progress -> 'percent')::text AS percent, (progress -> 'done')::text AS done, (progress -> 'total')::text AS total
    FROM projections.job_status
    WHERE job = %(job)s
    UNION
    SELECT child.*
    FROM part
    CROSS JOIN LATERAL (
        SELECT
            job, parent, retry_of, phase, outcome,
            (progress -> 'percent')::text, (progress -> 'done')::text, (progress -> 'total')::text
        FROM projections.job_status
        WHERE parent = part.job
        OFFSET 0
    ) AS child
),
stood_for AS MATERIALIZED (
    SELECT parent AS job FROM part WHERE outcome IS DISTINCT FROM 'refused' AND parent IS NOT NULL
    UNION
    SELECT retry_of FROM part WHERE outcome IS DISTINCT FROM 'refused' AND retry_of IS NOT NULL
),
leaf AS MATERIALIZED (
    SELECT phase, percent, done, total
    FROM part
    WHERE outcome IS DISTINCT FROM 'refused' AND job NOT IN (SELECT job FROM stood_for)
)
SELECT
    views_reached AS reached,
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
        SELECT json_agg(json_build_array(percent::json, done::json, total::json))
        FROM leaf
        WHERE phase <> 'closed' AND (percent IS NOT NULL OR done IS NOT NULL)
    ) AS shares
