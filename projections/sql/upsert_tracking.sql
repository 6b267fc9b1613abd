-- How far the views are says `reached`, which is put in front. All rows go on to the next epoch together.
moved AS (
    UPDATE projections.tracking
    SET
        version = coalesce((%(versions)s::json ->> view)::integer, version),
        position = CASE WHEN %(versions)s::json ->> view IS NULL THEN tracking.position ELSE reached.position END,
        epoch = greatest(epoch, reached.position / 64)
    FROM reached
    WHERE epoch = (SELECT max(epoch) FROM projections.tracking)
    RETURNING view, epoch
)
INSERT INTO projections.tracking (view, version, position, epoch)
SELECT view, version::integer, reached.position, coalesce((SELECT max(epoch) FROM moved), reached.position / 64)
FROM json_each_text(%(versions)s::json) AS wanted (view, version)
CROSS JOIN reached
WHERE view NOT IN (SELECT view FROM moved)
