-- OFFSET 0 keeps the planner to the indexes, whatever it takes the size of a young table for.
WITH named AS (
    SELECT found.job
    FROM unnest(%(executors)s::text[], %(external_ids)s::text[]) AS asked (executor, external_id)
    CROSS JOIN LATERAL (
        SELECT job FROM projections.job_status AS status
        WHERE status.executor = asked.executor AND status.external_id = asked.external_id
        OFFSET 0
    ) AS found
    UNION
    SELECT found.job
    FROM unnest(%(executors)s::text[], %(tokens)s::text[]) AS asked (executor, token)
    CROSS JOIN LATERAL (
        SELECT job, executor FROM projections.job_status AS status WHERE status.token = asked.token OFFSET 0
    ) AS found
    WHERE found.executor = asked.executor
), standing AS (
    SELECT
        job, type, parent, depth, phase, outcome, end_action, cancel_requested, contact_lost, disputed,
        executor, external_id, token, owner, epoch, version, planned_position, true AS active,
        -- Of such a job nothing more can be recorded. Only where the word stands in a document is that read.
        document::text LIKE '%%"damaged":%%' AND document -> 'damaged' IS NOT NULL AS damaged
    FROM projections.job_status
    WHERE phase <> 'closed' OR outcome = 'unknown'
    UNION ALL
    SELECT
        told.job, told.type, told.parent, told.depth, told.phase, told.outcome, told.end_action, told.cancel_requested,
        told.contact_lost, told.disputed, told.executor, told.external_id, told.token, told.owner, told.epoch,
        told.version, told.planned_position, false, false
    FROM named
    CROSS JOIN LATERAL (SELECT * FROM projections.job_status AS status WHERE status.job = named.job OFFSET 0) AS told
    WHERE told.phase = 'closed' AND told.outcome <> 'unknown'
)
SELECT
    reached.position,
    standing.*,
    (
        SELECT json_agg(child)
        FROM (
            SELECT job, outcome, required, retry_of, planned_position
            FROM projections.job_status
            WHERE parent = standing.job AND outcome IS DISTINCT FROM 'refused'
            OFFSET 0
        ) AS child
    ) AS children
FROM (SELECT views_reached AS position) AS reached
LEFT JOIN standing ON true
ORDER BY standing.planned_position
