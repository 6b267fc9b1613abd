-- Whether a parent of many has no value yet: a child, none of those besides, that is required, no retry and not retried
-- is open or unknown, and no failure of the others is left unretried.
WITH retries AS NOT MATERIALIZED (
    SELECT retry_of FROM projections.job_status
    WHERE parent = %(parent)s AND retry_of IS NOT NULL AND outcome IS DISTINCT FROM 'refused'
),
alone AS NOT MATERIALIZED (
    SELECT outcome FROM projections.job_status AS child
    WHERE
        parent = %(parent)s
        AND required
        AND retry_of IS NULL
        AND job <> ALL(%(besides)s::text[])
        AND NOT EXISTS (SELECT FROM retries WHERE retries.retry_of = child.job OFFSET 0)
)
SELECT
    NOT EXISTS (
        SELECT FROM projections.job_status AS child
        WHERE
            parent = %(parent)s
            AND outcome COLLATE "C" = ANY('{failed,cancelled,abandoned}')
            AND (required OR retry_of IS NOT NULL)
            AND job <> ALL(%(besides)s::text[])
            AND NOT EXISTS (SELECT FROM retries WHERE retries.retry_of = child.job OFFSET 0)
        OFFSET 0
    )
    AND (
        EXISTS (SELECT FROM alone WHERE outcome IS NULL OFFSET 0)
        OR EXISTS (SELECT FROM alone WHERE outcome COLLATE "C" = 'unknown' OFFSET 0)
    ) AS unsettled
