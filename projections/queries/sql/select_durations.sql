-- The jobs whose outcome, as it stands, was given by an event that is found.
SELECT
    reached.position AS reached,
    told.*
FROM (SELECT history_reached AS position) AS reached
LEFT JOIN (
    SELECT
        e.outcome,
        count(*) AS jobs,
        count(e.seconds) AS timed,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY e.seconds) AS p50,
        percentile_disc(0.95) WITHIN GROUP (ORDER BY e.seconds) AS p95,
        max(e.seconds) AS max
    FROM history.entries AS e
    CROSS JOIN LATERAL (
        SELECT FROM history.jobs AS j WHERE j.job = e.job AND j.outcome_position = e.position OFFSET 0
    ) AS standing
    WHERE e.outcome IS NOT NULL AND found_conditions
    GROUP BY GROUPING SETS ((e.outcome), ())
) AS told ON true
ORDER BY told.outcome NULLS LAST
