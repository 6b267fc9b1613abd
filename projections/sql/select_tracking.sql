SELECT ledger.head, reached.*
FROM (SELECT coalesce(max(notification_id), 0) AS head FROM ledger.stored_events) AS ledger
LEFT JOIN projections.tracking AS reached ON true
