-- The views are where the ledger ends. Where it does not end at this position, that is null, which no view can be at.
INSERT INTO tracking (view, version, position)
SELECT view, version::integer, ledger.head
FROM json_each_text(%(versions)s::json) AS wanted (view, version)
CROSS JOIN (
    SELECT CASE max(notification_id) WHEN %(position)s THEN max(notification_id) END AS head FROM ledger.stored_events
) AS ledger
ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position
