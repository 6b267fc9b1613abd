-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT asked.place, event.*
FROM json_to_recordset(%(asked)s::json) AS asked (place integer, name text, stream integer, at timestamptz, sign integer)
CROSS JOIN LATERAL (
    SELECT version FROM projections.told WHERE stream = asked.stream AND at = asked.at AND sign = asked.sign OFFSET 0
) AS found
LEFT JOIN LATERAL (
    SELECT originator_id, originator_version, topic, state
    FROM ledger.stored_events
    WHERE originator_id = asked.name AND originator_version = found.version
    OFFSET 0
) AS event ON true
ORDER BY asked.place, found.version
