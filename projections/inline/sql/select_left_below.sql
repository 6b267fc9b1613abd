-- The jobs below others of which something is yet to be said: that cancelling was asked, or that they left the live
-- views. In front, of all of them, are those that keep the tree from leaving; of some, those that are next below. One
-- that was refused is below none, and of one that is damaged nothing can be said. OFFSET 0 keeps the planner to the
-- index, whatever it takes the size of a young table for.
WITH RECURSIVE below AS (
    SELECT asked.job AS top, asked.job COLLATE "C" AS job, false AS is_left, false AS stays, 0::bigint AS place
    FROM json_array_elements_text(%(jobs)s::json) AS asked (job)
    UNION
    SELECT below.top, child.job, child.is_left, child.stays, child.place
    FROM below
    CROSS JOIN LATERAL (
        SELECT
            job,
            CASE %(event)s::text WHEN 'expired' THEN NOT expired ELSE outcome IS NULL AND NOT cancel_requested END
                AS is_left,
            %(event)s = 'expired' AND NOT expired AND (outcome IS NULL OR outcome = 'unknown' OR held) AS stays,
            planned_position AS place
        FROM projections.job_status
        WHERE parent = below.job AND outcome IS DISTINCT FROM 'refused'
        OFFSET 0
    ) AS child
)
SELECT top, job, stays, place
FROM below
WHERE is_left AND 'job:' || job NOT IN (SELECT stream FROM projections.damaged)
LIMIT %(at_most)s::bigint
