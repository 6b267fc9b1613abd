SELECT
    originator_id, originator_version, topic, state, notification_id,
    greatest(least(recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z') AS recorded_at
FROM ledger.stored_events
WHERE notification_id > %(after)s
ORDER BY notification_id
LIMIT %(limit)s
