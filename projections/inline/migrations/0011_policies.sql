-- A policy that is none, as whoever may write the view may write one, is one that says nothing: one tree's forecast is wrong
-- until a rebuild, and that of no other fails.
CREATE OR REPLACE VIEW job_expiry AS
SELECT
    tree.root,
    top.type,
    coalesce(top.actor, '') AS actor,
    top.retention IS NOT NULL AS has_policy,
    make_interval(secs => coalesce(policy.keep_for, 7776000)) AS keep_for,
    policy.keep_at_most AS keep_at_most,
    make_interval(secs => coalesce(policy.dwell, 0)) AS dwell,
    tree.jobs,
    tree.closed_recorded_at AS closed_at,
    tree.done AND NOT tree.unresolved AS closed,
    tree.held,
    tree.held_by
FROM (
    SELECT
        root,
        count(*) AS jobs,
        max(closed_recorded_at) AS closed_recorded_at,
        bool_and(phase = 'closed') AS done,
        bool_or(outcome IS NOT DISTINCT FROM 'unknown') AS unresolved,
        bool_or(held) AS held,
        min(held_by) FILTER (WHERE held) AS held_by
    FROM job_status
    WHERE NOT expired
    GROUP BY root
) AS tree
JOIN job_status AS top ON top.job = tree.root
CROSS JOIN LATERAL (
    SELECT
        (plain.retention -> 'keep_for')::text AS keep_for,
        (plain.retention -> 'keep_at_most')::text AS keep_at_most,
        (plain.retention -> 'dwell')::text AS dwell
    FROM (SELECT CASE WHEN strpos(top.retention::text, E'\\') = 0 THEN top.retention END AS retention) AS plain
) AS said
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN said.keep_for ~ '^[0-9]{1,10}([.][0-9]{1,20})?(e-[0-9]{1,2})?$' THEN said.keep_for::float8 END AS keep_for,
        CASE WHEN said.keep_at_most ~ '^[0-9]{1,19}$' THEN least(said.keep_at_most::numeric, 9223372036854775807)::bigint END
            AS keep_at_most,
        CASE WHEN said.dwell ~ '^[0-9]{1,10}([.][0-9]{1,20})?(e-[0-9]{1,2})?$' THEN said.dwell::float8 END AS dwell
) AS policy;
