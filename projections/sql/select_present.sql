SELECT
    held.job, held.root, held.entity_type AS type, held.entity_id AS id, held.access, held.since,
    status.owner, status.type AS job_type, status.progress
FROM running_jobs AS held
JOIN job_status AS status ON status.job = held.job
WHERE
    held.entity_type = %(type)s
    AND held.entity_id = %(id)s
    AND held.to_position IS NULL
    AND status.type = %(job_type)s
