-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT told.*
FROM unnest(%(streams)s::text[]) AS wanted (stream)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id, recorded_at
    FROM ledger.stored_events
    WHERE originator_id = wanted.stream AND notification_id <= %(position)s
    OFFSET 0
) AS told
ORDER BY told.notification_id
