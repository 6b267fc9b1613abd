-- A page, of which each row says whether the version before it stands before it; OFFSET 0 keeps the planner to the index.
SELECT
    page.*,
    originator_version = 1 OR EXISTS (
        SELECT
        FROM ledger.stored_events AS earlier
        WHERE earlier.originator_id = page.originator_id
            AND earlier.originator_version = page.originator_version - 1
            AND earlier.notification_id < page.notification_id
        OFFSET 0
    ) AS in_turn
FROM (
    SELECT
        originator_id, originator_version, topic, state, notification_id,
        greatest(least(recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z') AS recorded_at
    FROM ledger.stored_events
    WHERE notification_id > %(after)s
    ORDER BY notification_id
    LIMIT %(limit)s
) AS page
ORDER BY notification_id
