INSERT INTO projections.damaged (position, stream, version, topic, why)
SELECT *
FROM unnest(
    %(positions)s::bigint[], %(streams)s::text[], %(versions)s::bigint[], %(topics)s::text[], %(whys)s::text[]
)
ON CONFLICT (position) DO NOTHING
