-- The view as the first migration made it, put up again: older releases let another role change what it shows.
DROP VIEW IF EXISTS job_expiry;

-- One row a tree in the live views: when its last job closed, the policy it was planned with, and what keeps it. A field
-- of a policy that is not said has the default of `ledger.domain.retention.Retention`, which may never change.
CREATE VIEW job_expiry AS
SELECT
    tree.root,
    top.type,
    coalesce(top.actor, '') AS actor,
    top.retention IS NOT NULL AS has_policy,
    make_interval(secs => coalesce((top.retention ->> 'keep_for')::float8, 7776000)) AS keep_for,
    (top.retention ->> 'keep_at_most')::bigint AS keep_at_most,
    make_interval(secs => coalesce((top.retention ->> 'dwell')::float8, 0)) AS dwell,
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
JOIN job_status AS top ON top.job = tree.root;
