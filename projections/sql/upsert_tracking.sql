INSERT INTO tracking (view, version, position)
SELECT view, version::integer, %(position)s
FROM json_each_text(%(versions)s::json) AS wanted (view, version)
ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position
