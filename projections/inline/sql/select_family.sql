-- What counts of many children: those in chains of several, and those that the append speaks of; of the others that have
-- not succeeded the first planned, and how many there are of each outcome.
WITH retries AS MATERIALIZED (
    SELECT job, retry_of FROM projections.job_status
    WHERE parent = %(parent)s AND retry_of IS NOT NULL AND outcome IS DISTINCT FROM 'refused'
    OFFSET 0
),
named AS MATERIALIZED (
    SELECT job FROM retries
    UNION
    SELECT retry_of FROM retries
    UNION
    SELECT job FROM json_array_elements_text(%(spoken_of)s::json) AS spoken_of (job)
),
alone AS MATERIALIZED (
    SELECT child.job, child.outcome, child.planned_position
    FROM (
        SELECT job, outcome, planned_position, retry_of FROM projections.job_status
        WHERE parent = %(parent)s AND outcome IS NULL AND required
        UNION ALL
        SELECT job, outcome, planned_position, retry_of FROM projections.job_status
        WHERE
            parent = %(parent)s
            AND outcome COLLATE "C" = ANY('{failed,cancelled,abandoned,unknown}')
            AND required
        OFFSET 0
    ) AS child
    WHERE child.retry_of IS NULL AND child.job NOT IN (SELECT job FROM named)
)
SELECT told.job, told.outcome, told.required, told.retry_of, told.planned_position, false AS alone, NULL::bigint AS jobs
FROM named
CROSS JOIN LATERAL (SELECT * FROM projections.job_status WHERE job = named.job OFFSET 0) AS told
WHERE told.parent = %(parent)s AND told.outcome IS DISTINCT FROM 'refused'
UNION ALL
(SELECT job, outcome, true, NULL, planned_position, true, NULL FROM alone ORDER BY planned_position LIMIT %(at_most)s)
UNION ALL
SELECT NULL, outcome, NULL, NULL, NULL, NULL, count(*) FROM alone GROUP BY outcome
ORDER BY planned_position
