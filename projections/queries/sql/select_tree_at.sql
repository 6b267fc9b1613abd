-- Every job that may have been below a job at a position: those that are, and those that were refused below it then.
WITH RECURSIVE below AS (
    SELECT %(job)s::text COLLATE "C" AS job
    UNION
    SELECT child.job
    FROM below
    CROSS JOIN LATERAL (
        SELECT job FROM projections.job_status WHERE parent = below.job AND planned_position <= %(position)s
        UNION ALL
        SELECT job FROM history.asked_below WHERE parent = below.job
        OFFSET 0
    ) AS child
)
SELECT
    job,
    activity_reached AS reached
FROM below
