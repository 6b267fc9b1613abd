-- Around a position: the last row up to it; and of those that are not ahead of the clock the last up to it, the next, and
-- before and behind these the next of another time each, within 250 positions.
WITH told AS NOT MATERIALIZED (
    SELECT notification_id AS position, greatest(recorded_at, '0001-01-01T00:00:00Z') AS recorded_at
    FROM ledger.stored_events
    WHERE recorded_at <= %(latest)s
)
SELECT
    (
        SELECT notification_id FROM ledger.stored_events
        WHERE notification_id <= %(position)s
        ORDER BY notification_id DESC
        LIMIT 1
    ) AS position,
    here.position AS here, here.recorded_at AS here_at,
    earlier.position AS earlier, earlier.recorded_at AS earlier_at,
    first.recorded_at AS first_at,
    next.recorded_at AS next_at,
    later.position AS later, later.recorded_at AS later_at
FROM (SELECT %(position)s::bigint AS position) AS asked
LEFT JOIN LATERAL (
    SELECT * FROM told WHERE told.position <= asked.position ORDER BY told.position DESC LIMIT 1
) AS here ON true
LEFT JOIN LATERAL (
    SELECT * FROM told
    WHERE told.position < here.position AND told.position > here.position - 250
        AND told.recorded_at <> here.recorded_at
    ORDER BY told.position DESC
    LIMIT 1
) AS earlier ON true
LEFT JOIN LATERAL (
    SELECT * FROM told
    WHERE told.position < earlier.position AND told.position > earlier.position - 250
        AND told.recorded_at <> earlier.recorded_at
    ORDER BY told.position DESC
    LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT * FROM told WHERE told.position > asked.position ORDER BY told.position LIMIT 1
) AS next ON true
LEFT JOIN LATERAL (
    SELECT * FROM told
    WHERE told.position > next.position AND told.position < next.position + 250
        AND told.recorded_at <> next.recorded_at
    ORDER BY told.position
    LIMIT 1
) AS later ON true
