-- Where the ledger ends, with the first bytes of the event there, and whether an event that is known stands where it stood.
SELECT coalesce(last.position, 0) AS head, last.state, known.stands
FROM (VALUES (true)) AS one (row)
LEFT JOIN (
    SELECT notification_id AS position, substr(state, 1, 4096) AS state
    FROM ledger.stored_events
    ORDER BY notification_id DESC
    LIMIT 1
) AS last ON true
LEFT JOIN (
    SELECT substr(state, 1, octet_length(%(mark)s::bytea)) = %(mark)s::bytea AS stands
    FROM ledger.stored_events
    WHERE notification_id = %(known)s
) AS known ON true
