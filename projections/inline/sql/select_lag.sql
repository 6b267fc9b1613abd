-- How far the views are behind the ledger, each that has not begun by all of it, or ahead; and whether they lost their rows.
SELECT
    max(ledger.head - coalesce(position, 0)) AS lag,
    greatest(max(position - ledger.head), 0) AS ahead,
    max(position) > 0
        AND NOT EXISTS (SELECT FROM projections.job_status)
        AND EXISTS (SELECT FROM ledger.stored_events WHERE originator_id >= 'job:' AND originator_id < 'job;') AS emptied
FROM (VALUES ('job_status'), ('running_jobs'), ('told')) AS wanted (view)
LEFT JOIN projections.tracking USING (view)
CROSS JOIN (SELECT coalesce(max(notification_id), 0)::numeric AS head FROM ledger.stored_events) AS ledger
