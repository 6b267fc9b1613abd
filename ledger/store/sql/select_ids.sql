SELECT notification_id AS position, substr(state, 1, 4096) AS state
FROM ledger.stored_events
WHERE notification_id = ANY(%(positions)s::bigint[])
