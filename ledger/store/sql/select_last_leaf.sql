-- As `select_leaves` makes it.
SELECT
    '\x6a6f626c6564676572206576656e742076310a'::bytea
        || int8send(notification_id) || timestamptz_send(recorded_at) || int8send(originator_version)
        || int4send(octet_length(convert_to(originator_id, 'UTF8'))) || convert_to(originator_id, 'UTF8')
        || int4send(octet_length(convert_to(topic, 'UTF8'))) || convert_to(topic, 'UTF8')
        || int4send(octet_length(state)) || state AS leaf
FROM ledger.stored_events
WHERE notification_id <= %(upto)s
ORDER BY notification_id DESC
LIMIT 1
