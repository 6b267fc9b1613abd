-- How far the ledger is, and each view that is no epoch behind; whether an event that is known stands where it stood, and
-- what a commit waits for.
SELECT
    ledger.head,
    known.stands,
    current_setting('synchronous_commit') AS commit,
    current_setting('synchronous_standby_names') AS standbys,
    reached.view,
    reached.version,
    reached.position
FROM (SELECT coalesce(max(notification_id), 0) AS head FROM ledger.stored_events) AS ledger
LEFT JOIN (
    SELECT substr(state, 1, octet_length(%(mark)s::bytea)) = %(mark)s::bytea AS stands
    FROM ledger.stored_events
    WHERE notification_id = %(known)s
) AS known ON true
LEFT JOIN projections.tracking AS reached
    ON reached.epoch = (SELECT notification_id / 64 FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1)
