-- The views are where the ledger ends, and there their rows are looked up; but while one is behind, it is looked for.
SELECT coalesce(
    (
        SELECT min(position)
        FROM projections.tracking
        WHERE epoch = (SELECT notification_id / 64 FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1)
        HAVING count(*) = 3
    ),
    (SELECT min(position) FROM projections.tracking),
    0
) AS position
