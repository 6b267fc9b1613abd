-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT told.*
FROM unnest(%(streams)s::text[], %(versions)s::bigint[]) AS wanted (stream, version)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, notification_id, state
    FROM ledger.stored_events
    WHERE originator_id = wanted.stream AND originator_version = wanted.version
    OFFSET 0
) AS told
