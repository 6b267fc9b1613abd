SELECT *
FROM (
    SELECT
        root, type, actor, jobs, keep_for, keep_at_most, dwell, closed_at, held, held_by,
        coalesce(crowded AND aged_at > %(now)s, false) AS beyond,
        CASE
            WHEN held OR NOT closed THEN NULL
            WHEN crowded THEN least(aged_at, greatest(dwelt_at, %(now)s))
            ELSE aged_at
        END AS leaves_at
    FROM (
        SELECT
            *,
            CASE WHEN closed THEN closed_at + greatest(keep_for, dwell) END AS aged_at,
            CASE WHEN closed THEN closed_at + dwell END AS dwelt_at,
            closed AND sum(jobs) OVER (
                PARTITION BY actor, closed ORDER BY closed_at DESC, root ROWS UNBOUNDED PRECEDING
            ) > keep_at_most AS crowded
        FROM (
            SELECT
                root, type, actor, jobs, closed, held, held_by,
                CASE WHEN closed THEN closed_at END AS closed_at,
                CASE WHEN has_policy THEN keep_for ELSE %(keep_for)s END AS keep_for,
                CASE WHEN has_policy THEN keep_at_most ELSE %(keep_at_most)s::bigint END AS keep_at_most,
                CASE WHEN has_policy THEN dwell ELSE %(dwell)s END AS dwell
            FROM projections.job_expiry
        ) AS tree
    ) AS counted
) AS forecast
WHERE NOT %(due)s OR leaves_at <= %(now)s
ORDER BY leaves_at NULLS LAST, root
LIMIT %(limit)s
