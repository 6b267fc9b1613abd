-- Nothing where the event that the epoch started with no longer stands in its place.
INSERT INTO ledger.leases AS held (owner, epoch, renewed_at, ends_at)
SELECT %(owner)s, %(epoch)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s)
FROM ledger.stored_events
WHERE notification_id = %(position)s
    AND substr(state, 1, octet_length(%(mark)s::bytea)) = %(mark)s::bytea
ON CONFLICT (owner) DO UPDATE SET epoch = excluded.epoch, renewed_at = excluded.renewed_at, ends_at = excluded.ends_at
WHERE held.epoch <= excluded.epoch
