SELECT EXISTS (
    SELECT FROM history.tracking
    WHERE position > (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events)
        OR position > 0 AND (
            view = 'history' AND NOT EXISTS (SELECT FROM history.entries)
            OR view = 'activity'
            AND NOT EXISTS (SELECT FROM history.activity)
            AND EXISTS (SELECT FROM ledger.stored_events WHERE originator_id >= 'job:' AND originator_id < 'job;')
        )
) AS misled
