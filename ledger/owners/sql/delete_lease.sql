-- Of an owner, up to an epoch; nothing where the event that says so no longer stands in its place.
DELETE FROM ledger.leases
WHERE owner = %(owner)s
    AND epoch <= %(epoch)s
    AND EXISTS (
        SELECT FROM ledger.stored_events
        WHERE notification_id = %(position)s
            AND substr(state, 1, octet_length(%(mark)s::bytea)) = %(mark)s::bytea
    )
