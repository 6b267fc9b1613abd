SELECT coalesce(max(notification_id), 0) AS head FROM ledger.stored_events
