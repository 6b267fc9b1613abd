SELECT coalesce(max(lag), ledger.head) AS lag, coalesce(-least(min(lag), 0), 0) AS ahead
FROM (SELECT coalesce(max(notification_id), 0)::numeric AS head FROM ledger.stored_events) AS ledger
LEFT JOIN LATERAL (SELECT ledger.head - position AS lag FROM projections.tracking) AS view ON true
GROUP BY ledger.head
