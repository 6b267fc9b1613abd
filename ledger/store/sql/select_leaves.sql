-- Rows in the canonical form of ledger/integrity/leaf.py, in order; a row that an owner of the table broke has none.
SELECT
    notification_id AS position,
    '\x6a6f626c6564676572206576656e742076310a'::bytea
        || int8send(notification_id) || timestamptz_send(recorded_at) || int8send(originator_version)
        || int4send(octet_length(convert_to(originator_id, 'UTF8'))) || convert_to(originator_id, 'UTF8')
        || int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
        || int4send(octet_length(state)) || state AS leaf
FROM ledger.stored_events
WHERE notification_id > %(after)s AND notification_id <= %(upto)s
ORDER BY notification_id
