-- A position without a row is told as of the last before it; a time that nothing can have, as that of the last before it.
SELECT
    (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events) AS head,
    (
        SELECT greatest(recorded_at, '0001-01-01T00:00:00Z')
        FROM ledger.stored_events
        WHERE notification_id <= %(position)s AND recorded_at <= clock_timestamp() + %(ahead)s::interval
        ORDER BY notification_id DESC
        LIMIT 1
    ) AS recorded_at
