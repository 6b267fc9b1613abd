-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT child.*
FROM json_array_elements_text(%(parents)s::json) AS asked (parent)
CROSS JOIN LATERAL (
    SELECT parent, job, outcome, required, retry_of, planned_position
    FROM projections.job_status
    WHERE parent = asked.parent AND outcome IS DISTINCT FROM 'refused'
    OFFSET 0
) AS child
ORDER BY child.planned_position
