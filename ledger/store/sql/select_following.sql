-- The next events after a place, and whether there is an event there; its first bytes, unless they are its mark. One row at
-- least, with a position only where it is an event.
SELECT known.there, known.other, following.*
FROM (VALUES (true)) AS one (row)
LEFT JOIN (
    SELECT
        true AS there,
        CASE WHEN substr(state, 1, octet_length(%(mark)s::bytea)) <> %(mark)s::bytea THEN substr(state, 1, 4096) END AS other
    FROM ledger.stored_events
    WHERE notification_id = %(after)s
) AS known ON true
LEFT JOIN (
    SELECT
        originator_id, originator_version, topic, state, notification_id,
        greatest(least(recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z') AS recorded_at
    FROM ledger.stored_events
    WHERE notification_id > %(after)s
    ORDER BY notification_id
    LIMIT %(limit)s
) AS following ON true
ORDER BY following.notification_id
