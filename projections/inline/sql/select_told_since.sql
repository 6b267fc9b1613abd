SELECT asked.place
FROM json_to_recordset(%(asked)s::json) AS asked (place integer, stream integer, at timestamptz)
CROSS JOIN LATERAL (
    SELECT FROM projections.told WHERE stream = asked.stream AND at >= asked.at ORDER BY at LIMIT 1
) AS found
