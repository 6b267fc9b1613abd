SELECT parent, job, outcome, required, retry_of
FROM job_status
WHERE parent = ANY(%(parents)s)
ORDER BY parent, planned_position
