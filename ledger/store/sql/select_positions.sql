SELECT e.originator_id, e.originator_version, e.notification_id, e.state
FROM unnest(%(streams)s::text[], %(versions)s::bigint[]) AS wanted (stream, version)
JOIN ledger.stored_events AS e ON e.originator_id = wanted.stream AND e.originator_version = wanted.version
