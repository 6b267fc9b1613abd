SELECT
    owner, epoch,
    least(renewed_at, '9999-12-31Z') AS renewed_at,
    least(ends_at, '9999-12-31Z') AS ends_at,
    ends_at < clock_timestamp() AS lapsed FROM ledger.leases ORDER BY owner
