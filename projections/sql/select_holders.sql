SELECT DISTINCT
    held.job, held.root, held.entity_type AS type, held.entity_id AS id, held.access, held.since, status.owner
FROM unnest(%(types)s::text[], %(ids)s::text[], %(exclusives)s::boolean[]) AS asked (type, id, exclusive)
JOIN running_jobs AS held
    ON held.entity_type = asked.type
    AND held.entity_id = asked.id
    AND held.to_position IS NULL
    AND (held.access = 'exclusive' OR (asked.exclusive AND held.access = 'shared'))
JOIN job_status AS status ON status.job = held.job
