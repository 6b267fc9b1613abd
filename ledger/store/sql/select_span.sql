SELECT
    coalesce((SELECT notification_id FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1), 0) AS head,
    (
        SELECT greatest(least(recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z')
        FROM ledger.stored_events
        ORDER BY notification_id
        LIMIT 1
    ) AS first_at,
    clock_timestamp() AS now,
    coalesce((
        SELECT extract(epoch FROM least(recorded_at, '9999-12-31T23:59:59Z') - clock_timestamp())
        FROM ledger.stored_events
        ORDER BY notification_id DESC
        LIMIT 1
    ), 0)::float8 AS ahead_seconds
