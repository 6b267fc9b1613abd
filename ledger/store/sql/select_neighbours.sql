-- Around a position, where two rows of another time stand: the last row before those that share the time of the row at or
-- before the position, and the first after those that share the time of the row behind it; an append has 10,000 at most.
SELECT
    (
        SELECT CASE WHEN earlier.recorded_at > %(at)s AND earlier.recorded_at <= %(latest)s THEN earlier.position END
        FROM (
            SELECT before.notification_id AS position, before.recorded_at
            FROM ledger.stored_events AS before
            WHERE before.notification_id < here.position AND before.notification_id > here.position - 10000
                AND before.recorded_at <> here.recorded_at
            ORDER BY before.notification_id DESC
            LIMIT 1
        ) AS earlier
    ) AS too_late,
    (
        SELECT CASE WHEN later.recorded_at <= %(at)s THEN later.position END
        FROM (
            SELECT behind.notification_id AS position, behind.recorded_at
            FROM ledger.stored_events AS behind
            WHERE behind.notification_id > next.position AND behind.notification_id < next.position + 10000
                AND behind.recorded_at <> next.recorded_at
            ORDER BY behind.notification_id
            LIMIT 1
        ) AS later
    ) AS too_early,
    here.position
FROM (SELECT %(position)s::bigint AS position) AS asked
LEFT JOIN LATERAL (
    SELECT notification_id AS position, recorded_at
    FROM ledger.stored_events
    WHERE notification_id <= asked.position
    ORDER BY notification_id DESC
    LIMIT 1
) AS here ON true
LEFT JOIN LATERAL (
    SELECT notification_id AS position, recorded_at
    FROM ledger.stored_events
    WHERE notification_id > asked.position
    ORDER BY notification_id
    LIMIT 1
) AS next ON true
