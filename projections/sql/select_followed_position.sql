-- Where a followed view is: near the end of the ledger its row is looked up; where it is not there, it is looked for.
SELECT coalesce(
    (
        SELECT position
        FROM history.tracking
        WHERE
            epoch = (SELECT notification_id / 64 FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1)
            AND view = followed_view
    ),
    (SELECT max(position) FROM history.tracking WHERE view = followed_view),
    0
) AS position
