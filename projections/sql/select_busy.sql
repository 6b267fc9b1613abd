SELECT open.entity_type, open.entity_id, status.*, held.entities, now() AS asked_at
FROM (
    SELECT running.entity_type, running.entity_id, running.job, min(running.from_position) AS from_position
    FROM unnest(%(types)s::text[], %(ids)s::text[]) AS asked (type, id)
    JOIN running_jobs AS running
        ON running.entity_type = asked.type AND running.entity_id = asked.id AND running.to_position IS NULL
    GROUP BY running.entity_type, running.entity_id, running.job
) AS open
JOIN job_status AS status ON status.job = open.job
LEFT JOIN LATERAL (
    SELECT json_agg(
        json_build_object('type', entity_type, 'id', entity_id, 'role', role, 'access', access)
        ORDER BY from_position, entity_type, entity_id, role
    ) AS entities
    FROM running_jobs
    WHERE running_jobs.job = status.job
) AS held ON true
ORDER BY open.from_position, status.planned_position
