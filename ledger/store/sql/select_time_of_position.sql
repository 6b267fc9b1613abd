SELECT
    (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events) AS head,
    (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = %(position)s) AS recorded_at
