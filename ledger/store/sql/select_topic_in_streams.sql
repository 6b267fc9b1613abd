-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT told.*
FROM json_each_text(%(after)s::json) AS wanted (stream, version)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id, recorded_at
    FROM ledger.stored_events
    WHERE originator_id = wanted.stream AND originator_version > wanted.version::bigint AND topic = %(topic)s
    ORDER BY originator_version
    LIMIT %(limit)s
    OFFSET 0
) AS told
ORDER BY told.notification_id
