-- How far the views are says `reached`, which is put in front.
INSERT INTO projections.tracking (view, version, position)
SELECT view, version::integer, reached.position
FROM json_each_text(%(versions)s::json) AS wanted (view, version)
CROSS JOIN reached
ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position
