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
    coalesce(
        (
            SELECT position
            FROM history.tracking
            WHERE epoch = (
                SELECT notification_id / 64 FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1
            ) AND view = 'activity'
        ),
        (SELECT max(position) FROM history.tracking WHERE view = 'activity'),
        0
    ) AS reached
FROM below
