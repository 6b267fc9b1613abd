INSERT INTO tracking (view, version, position)
SELECT view, version, %(position)s FROM unnest(%(views)s::text[], %(versions)s::integer[]) AS wanted (view, version)
ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position
