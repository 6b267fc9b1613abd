-- The last planned in front: children often end in the order of planning, and a search from the front would go through
-- all that have just ended. The order is that of the index, and so there is one way to it, whatever the statistics say.
SELECT job
FROM job_status
WHERE parent = %(parent)s AND outcome IS NULL
ORDER BY parent DESC, outcome COLLATE "C" DESC, required DESC, planned_position DESC
LIMIT %(at_most)s
