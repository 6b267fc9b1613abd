INSERT INTO history.touched (entity_type, entity_id, position)
SELECT * FROM unnest(%(types)s::text[], %(ids)s::text[], %(positions)s::bigint[])
