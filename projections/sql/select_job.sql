SELECT status.*, held.entities, now() AS asked_at
FROM job_status AS status
LEFT JOIN LATERAL (
    SELECT json_agg(
        json_build_object('type', entity_type, 'id', entity_id, 'role', role, 'access', access)
        ORDER BY from_position, entity_type, entity_id, role
    ) AS entities
    FROM running_jobs
    WHERE running_jobs.job = status.job
) AS held ON true
WHERE status.job = ANY(%(jobs)s)
ORDER BY status.depth, status.planned_position
