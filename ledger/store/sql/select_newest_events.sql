SELECT newest.*
FROM json_array_elements_text(%(streams)s::json) AS wanted (stream)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state, notification_id, recorded_at
    FROM ledger.stored_events
    WHERE originator_id = wanted.stream
    ORDER BY originator_version DESC
    LIMIT 1
) AS newest
