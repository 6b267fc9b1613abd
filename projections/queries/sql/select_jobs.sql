-- Which jobs there are to choose from says `status`, which is put in front; only of those on the page is all read.
-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT now() AS asked_at, shown.*
FROM (
    SELECT job, planned_position
    FROM status
    WHERE
        (%(phase)s::text IS NULL OR status.phase = %(phase)s)
        AND (%(outcome)s::text IS NULL OR status.outcome = %(outcome)s)
        AND (%(type)s::text IS NULL OR status.type = %(type)s)
        AND (%(root)s::text IS NULL OR status.root = %(root)s)
        AND (%(parent)s::text IS NULL OR status.parent = %(parent)s)
        AND (%(expired)s OR NOT status.expired)
        AND (NOT %(active)s OR status.phase <> 'closed' OR status.outcome = 'unknown')
        AND (NOT %(overdue)s OR (status.deadline < now() AND status.phase <> 'closed'))
        AND (%(silent_for)s::interval IS NULL OR status.last_at < now() - %(silent_for)s::interval)
        AND (%(before)s::bigint IS NULL OR status.planned_position < %(before)s)
    ORDER BY status.planned_position DESC
    LIMIT %(limit)s
) AS page
CROSS JOIN LATERAL (SELECT job, planned_position, document::text, entities::text FROM projections.job_status WHERE job = page.job OFFSET 0) AS shown
ORDER BY page.planned_position DESC
