-- In front, where there are more, those that are open, the last planned of them first: children often end in the order
-- of planning, and a search from the front would go through all that have just ended. The order is that of the index,
-- and so there is one way to it, whatever the statistics say. Those that were refused are among them, so that a parent
-- of many such is one of many too.
SELECT child.*
FROM json_array_elements_text(%(parents)s::json) AS asked (parent)
CROSS JOIN LATERAL (
    SELECT parent, job, outcome, required, retry_of, planned_position
    FROM projections.job_status
    WHERE parent = asked.parent
    ORDER BY parent DESC, outcome COLLATE "C" DESC, required DESC, planned_position DESC
    LIMIT %(at_most)s
) AS child
ORDER BY child.planned_position
