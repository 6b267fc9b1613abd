-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT
    status.job, status.document, status.entities, 9223372036854775807 AS position,
    CASE WHEN status.outcome IS DISTINCT FROM 'refused' THEN status.planned_position END AS planned_position
FROM json_array_elements_text(%(jobs)s::json) AS asked (job)
CROSS JOIN LATERAL (
    SELECT job, document, entities, planned_position, outcome FROM projections.job_status WHERE job = asked.job OFFSET 0
) AS status
