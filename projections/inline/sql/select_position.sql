-- The views are where the ledger ends, and there their rows are looked up; but while one is behind, it is looked for.
SELECT coalesce(
    (
        SELECT min(position)
        FROM projections.tracking
        WHERE epoch = (SELECT max(notification_id) / 64 FROM ledger.stored_events)
        HAVING count(*) = 3
    ),
    (SELECT min(position) FROM projections.tracking),
    0
) AS position
