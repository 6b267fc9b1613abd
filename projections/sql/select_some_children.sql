-- Those that were refused are among them, so that a parent of many such is one of many too.
SELECT child.*
FROM json_array_elements_text(%(parents)s::json) AS asked (parent)
CROSS JOIN LATERAL (
    SELECT parent, job, outcome, required, retry_of, planned_position
    FROM job_status
    WHERE parent = asked.parent
    ORDER BY parent, outcome COLLATE "C", required, planned_position
    LIMIT %(at_most)s
) AS child
ORDER BY child.planned_position
