-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for. An earlier release did not
-- write down who had taken an end action: that stands in the event.
SELECT
    status.job, status.document, status.entities, 9223372036854775807 AS position,
    CASE WHEN status.outcome IS DISTINCT FROM 'refused' THEN status.planned_position END AS planned_position,
    CASE WHEN status.phase = 'closing' AND status.document -> 'claimed_by' IS NULL THEN status.job END AS claimed
FROM json_array_elements_text(%(jobs)s::json) AS asked (job)
CROSS JOIN LATERAL (
    SELECT job, document, entities, planned_position, phase, outcome FROM job_status WHERE job = asked.job OFFSET 0
) AS status
