SELECT originator_id, originator_version, topic, state, notification_id, recorded_at
FROM ledger.stored_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s AND originator_version > %(short)s
ORDER BY notification_id
