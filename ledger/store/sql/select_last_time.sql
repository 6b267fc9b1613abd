SELECT
    greatest(least(recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z') AS recorded_at,
    clock_timestamp() AS now
FROM ledger.stored_events
ORDER BY notification_id DESC
LIMIT 1
