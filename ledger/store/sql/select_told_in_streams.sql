SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id, e.recorded_at
FROM unnest(%(streams)s::text[]) AS wanted (stream)
JOIN ledger.stored_events AS e ON e.originator_id = wanted.stream AND e.topic = %(topic)s
ORDER BY e.notification_id
