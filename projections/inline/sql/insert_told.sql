-- A list for each column, for each value of a list is read once. Two ways to ask for an event may be one row.
INSERT INTO projections.told (stream, at, sign, version)
SELECT stream::integer, at::timestamptz, sign::integer, version::bigint
FROM ROWS FROM (
    json_array_elements_text(%(told_streams)s::json),
    json_array_elements_text(%(told_times)s::json),
    json_array_elements_text(%(told_signs)s::json),
    json_array_elements_text(%(told_versions)s::json)
) AS line (stream, at, sign, version)
ON CONFLICT DO NOTHING
