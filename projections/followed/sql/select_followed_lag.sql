SELECT view, (SELECT coalesce(max(notification_id), 0)::numeric FROM ledger.stored_events) - position AS lag
FROM history.tracking
ORDER BY view
