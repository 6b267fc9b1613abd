INSERT INTO projections.tracking (view, version, position)
SELECT view, version, %(position)s::bigint
FROM unnest(%(views)s::text[], %(versions)s::integer[]) AS wanted (view, version)
