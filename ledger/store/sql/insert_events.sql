INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
SELECT said.stream, said.version, said.topic, said.state
FROM unnest(%(streams)b::text[], %(versions)b::bigint[], %(topics)b::text[], %(states)b::bytea[])
    WITH ORDINALITY AS said (stream, version, topic, state, place)
ORDER BY said.place
RETURNING notification_id
