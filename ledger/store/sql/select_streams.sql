SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id, e.recorded_at
FROM unnest(%(streams)s::text[], %(versions)s::bigint[]) AS wanted (stream, version)
JOIN ledger.stored_events AS e ON e.originator_id = wanted.stream AND e.originator_version > wanted.version
ORDER BY e.notification_id
