-- Positions have no gap and recorded_at never decreases with them, so the last one at or before a time is found by
-- halving: one look-up in the index for each binary digit of the head.
WITH RECURSIVE halving AS (
    SELECT 0::bigint AS low, coalesce(max(notification_id), 0) AS high, coalesce(max(notification_id), 0) AS head
    FROM ledger.stored_events
    UNION ALL
    SELECT
        CASE WHEN middle.recorded_at <= %(at)s THEN middle.position ELSE halving.low END,
        CASE WHEN middle.recorded_at <= %(at)s THEN halving.high ELSE middle.position - 1 END,
        halving.head
    FROM halving
    CROSS JOIN LATERAL (
        SELECT notification_id AS position, recorded_at
        FROM ledger.stored_events
        WHERE notification_id = (halving.low + halving.high + 1) / 2
        OFFSET 0
    ) AS middle
    WHERE halving.low < halving.high
)
SELECT
    halving.low AS position,
    halving.head,
    clock_timestamp() AS now,
    (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = 1) AS first_at
FROM halving
WHERE halving.low = halving.high
