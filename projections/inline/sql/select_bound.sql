-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT DISTINCT ON (bound.executor, bound.external_id) bound.*
FROM json_to_recordset(%(names)s::json) AS asked (executor text, external_id text)
CROSS JOIN LATERAL (
    SELECT executor, external_id, job, planned_position
    FROM projections.job_status
    WHERE executor = asked.executor AND external_id = asked.external_id
    OFFSET 0
) AS bound
ORDER BY bound.executor, bound.external_id, bound.planned_position
