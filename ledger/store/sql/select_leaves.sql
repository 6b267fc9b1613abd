-- Rows in the canonical form of ledger/integrity/leaf.py, in order; a row that an owner of the table broke has none.
-- They come in blocks, since an answer of its own for each row costs more than the row.
SELECT positions, leaves
FROM generate_series(%(begun)s::bigint, %(upto)s::bigint - 1, %(block)s) AS begun
CROSS JOIN LATERAL (
    SELECT
        array_agg(notification_id) AS positions,
        array_agg(
            '\x6a6f626c6564676572206576656e742076310a'::bytea
            || int8send(notification_id) || timestamptz_send(recorded_at) || int8send(originator_version)
            || int4send(octet_length(convert_to(originator_id, 'UTF8'))) || convert_to(originator_id, 'UTF8')
            || int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
            || int4send(octet_length(state)) || state
        ) AS leaves
    FROM (
        SELECT * FROM ledger.stored_events
        WHERE notification_id > CASE WHEN begun = %(begun)s THEN %(after)s ELSE begun END
            AND notification_id <= least(begun + %(block)s, %(upto)s)
        ORDER BY notification_id
    ) AS stored
) AS block
WHERE positions IS NOT NULL
