SELECT view, (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events) - position AS lag
FROM history.tracking
ORDER BY view
