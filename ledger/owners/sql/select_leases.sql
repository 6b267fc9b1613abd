SELECT
    owner, epoch,
    greatest(least(renewed_at, '9999-12-31Z'), '0001-01-01Z') AS renewed_at,
    greatest(least(ends_at, '9999-12-31Z'), '0001-01-01Z') AS ends_at,
    ends_at < clock_timestamp() AS lapsed
FROM ledger.leases
ORDER BY owner
