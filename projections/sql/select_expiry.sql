SELECT root, type, actor, retention, jobs, closed_recorded_at, closed, held, held_by
FROM job_expiry
ORDER BY closed_recorded_at DESC NULLS LAST, root
