-- How far the views are says `reached`, which is put in front; their rows are looked up where they were `before`.
UPDATE projections.tracking
SET position = reached.position
FROM reached
WHERE epoch = %(before)s::bigint / 64 AND view = ANY(%(views)s::text[])
