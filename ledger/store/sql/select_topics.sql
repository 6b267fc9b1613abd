-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT told.*
FROM unnest(%(streams)s::text[]) AS wanted (stream)
CROSS JOIN LATERAL (
    SELECT originator_id, notification_id, originator_version, topic
    FROM ledger.stored_events
    WHERE originator_id = wanted.stream AND notification_id <= %(upto)s
    ORDER BY notification_id
    OFFSET 0
) AS told
