-- Where the ledger ends, if that is at this position; else null, which no view can be at.
SELECT CASE max(notification_id) WHEN %(position)s THEN max(notification_id) END AS position FROM ledger.stored_events
