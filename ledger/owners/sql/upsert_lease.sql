INSERT INTO ledger.leases AS held (owner, epoch, renewed_at, ends_at)
VALUES (%(owner)s, %(epoch)s, clock_timestamp(), clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (owner) DO UPDATE SET epoch = excluded.epoch, renewed_at = excluded.renewed_at, ends_at = excluded.ends_at
WHERE held.epoch <= excluded.epoch
