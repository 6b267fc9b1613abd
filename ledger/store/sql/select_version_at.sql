-- The last version in a stream at or before a position. Versions grow with positions, so it is found by halving: one
-- look-up in the index for each binary digit of the newest.
WITH RECURSIVE halving AS (
    SELECT 0::bigint AS low, coalesce(max(originator_version), 0) AS high
    FROM ledger.stored_events
    WHERE originator_id = %(stream)s
    UNION ALL
    SELECT
        CASE WHEN middle.position <= %(position)s THEN middle.version ELSE halving.low END,
        CASE WHEN middle.position <= %(position)s THEN halving.high ELSE (halving.low + halving.high + 1) / 2 - 1 END
    FROM halving
    LEFT JOIN LATERAL (
        SELECT originator_version AS version, notification_id AS position
        FROM ledger.stored_events
        WHERE
            originator_id = %(stream)s
            AND originator_version > halving.low
            AND originator_version <= (halving.low + halving.high + 1) / 2
        ORDER BY originator_version DESC
        LIMIT 1
    ) AS middle ON true
    WHERE halving.low < halving.high
)
SELECT low AS version FROM halving WHERE low = high
