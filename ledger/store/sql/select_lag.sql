SELECT
    (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events)
    - (SELECT coalesce(min(position), 0) FROM projections.tracking) AS lag
