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
WHERE
    (%(phase)s::text IS NULL OR status.phase = %(phase)s)
    AND (%(outcome)s::text IS NULL OR status.outcome = %(outcome)s)
    AND (%(type)s::text IS NULL OR status.type = %(type)s)
    AND (%(root)s::text IS NULL OR status.root = %(root)s)
    AND (%(expired)s OR NOT status.expired)
    AND (NOT %(active)s OR status.phase <> 'closed' OR status.outcome = 'unknown')
    AND (NOT %(overdue)s OR (status.deadline < now() AND status.phase <> 'closed'))
    AND (%(silent_for)s::interval IS NULL OR status.last_at < now() - %(silent_for)s::interval)
    AND (%(entity_type)s::text IS NULL OR EXISTS (
        SELECT FROM running_jobs
        WHERE running_jobs.job = status.job
            AND running_jobs.entity_type = %(entity_type)s
            AND running_jobs.entity_id = %(entity_id)s
    ))
    AND (%(before)s::bigint IS NULL OR status.planned_position < %(before)s)
ORDER BY status.planned_position DESC
LIMIT %(limit)s
