INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
SELECT said.stream, said.version, said.topic, said.state
FROM unnest(%(streams)s::text[], %(versions)s::bigint[], %(topics)s::text[], %(states)s::bytea[])
    WITH ORDINALITY AS said (stream, version, topic, state, place)
ORDER BY said.place
RETURNING originator_id, originator_version, notification_id, recorded_at
