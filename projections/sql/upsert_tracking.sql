-- How far the views are says `reached`, which is put in front; their rows are looked up where they were `before`.
moved AS (
    UPDATE projections.tracking
    SET version = (%(versions)s::json ->> view)::integer, position = reached.position
    FROM reached
    WHERE epoch = %(before)s::bigint / 64 AND %(versions)s::json ->> view IS NOT NULL
    RETURNING view
)
INSERT INTO projections.tracking (view, version, position)
SELECT view, version::integer, reached.position
FROM json_each_text(%(versions)s::json) AS wanted (view, version)
CROSS JOIN reached
WHERE view NOT IN (SELECT view FROM moved)
