-- How far the ledger is, where no view of it was ever begun, or all were made anew; else no row.
SELECT head
FROM (SELECT coalesce(max(notification_id), 0) AS head FROM ledger.stored_events) AS ledger
WHERE head > 0 AND NOT EXISTS (SELECT FROM projections.tracking)
