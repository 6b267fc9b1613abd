INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
SELECT said ->> 0, (said ->> 1)::bigint, said ->> 2, convert_to(said ->> 3, 'UTF8')
FROM json_array_elements(%(rows)s::json) WITH ORDINALITY AS line (said, place)
ORDER BY place
