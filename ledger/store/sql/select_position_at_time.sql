-- The last position at or before a time between two positions: found by halving, one look-up in the index for each binary
-- digit. A position without a row, or whose time nothing can have, stands for the row before it.
WITH RECURSIVE halving AS (
    SELECT %(low)s::bigint AS low, %(high)s::bigint AS high
    UNION ALL
    SELECT
        CASE WHEN coalesce(found.recorded_at <= %(at)s, true) THEN middle.position ELSE halving.low END,
        CASE WHEN coalesce(found.recorded_at <= %(at)s, true) THEN halving.high ELSE found.position - 1 END
    FROM halving
    CROSS JOIN LATERAL (SELECT halving.low + (halving.high - halving.low + 1) / 2 AS position) AS middle
    LEFT JOIN LATERAL (
        SELECT notification_id AS position, recorded_at
        FROM ledger.stored_events
        WHERE notification_id <= middle.position AND notification_id > halving.low
            AND recorded_at <= %(latest)s
        ORDER BY notification_id DESC
        LIMIT 1
    ) AS found ON true
    WHERE halving.low < halving.high
)
SELECT low AS position FROM halving WHERE low = high
