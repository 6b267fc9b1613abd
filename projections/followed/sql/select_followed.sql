SELECT
    wanted.view,
    coalesce(tracking.version, wanted.version) AS version,
    coalesce(tracking.position, 0) AS position,
    (SELECT coalesce(max(notification_id), 0) FROM ledger.stored_events) AS head
FROM unnest(%(views)s::text[], %(versions)s::integer[]) WITH ORDINALITY AS wanted (view, version, place)
LEFT JOIN (
    SELECT view, version, position FROM history.tracking WHERE epoch = (SELECT max(epoch) FROM history.tracking)
) AS tracking USING (view)
ORDER BY wanted.place
