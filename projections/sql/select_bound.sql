SELECT DISTINCT ON (status.executor, status.external_id) status.executor, status.external_id, status.job
FROM unnest(%(executors)s::text[], %(external_ids)s::text[]) AS asked (executor, external_id)
JOIN job_status AS status ON status.executor = asked.executor AND status.external_id = asked.external_id
ORDER BY status.executor, status.external_id, status.planned_position
