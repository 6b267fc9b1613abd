SELECT owner, epoch, renewed_at, ends_at, ends_at < clock_timestamp() AS lapsed FROM ledger.leases ORDER BY owner
