-- In the order of the index, the last planned in front, as in `select_some_children`.
SELECT job
FROM projections.job_status
WHERE parent = %(parent)s AND outcome IS NULL
ORDER BY parent DESC, outcome COLLATE "C" DESC, required DESC, planned_position DESC
LIMIT %(at_most)s
