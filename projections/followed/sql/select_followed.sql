-- Where a view is that is near the end of the ledger is looked up; where not, it is looked for.
SELECT
    wanted.view,
    coalesce(
        (SELECT version FROM history.tracking WHERE epoch = ledger.head / 64 AND tracking.view = wanted.view),
        (SELECT max(version) FROM history.tracking WHERE tracking.view = wanted.view),
        wanted.version
    ) AS version,
    coalesce(
        (SELECT position FROM history.tracking WHERE epoch = ledger.head / 64 AND tracking.view = wanted.view),
        (SELECT max(position) FROM history.tracking WHERE tracking.view = wanted.view),
        0
    ) AS position,
    ledger.head
FROM unnest(%(views)s::text[], %(versions)s::integer[]) WITH ORDINALITY AS wanted (view, version, place)
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS head FROM ledger.stored_events) AS ledger
ORDER BY wanted.place
