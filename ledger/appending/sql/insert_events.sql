-- A list for each column, for each value of a list is read once; a row that is a list is read anew for each of its values.
-- A state has no line break, as JSON that a program writes has none, and so needs no quotes of a list around it.
INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state)
SELECT stream, version::bigint, topic, convert_to(state, 'UTF8')
FROM ROWS FROM (
    json_array_elements_text(%(streams)s::json),
    json_array_elements_text(%(versions)s::json),
    json_array_elements_text(%(topics)s::json),
    string_to_table(%(states)s, E'\n')
) WITH ORDINALITY AS line (stream, version, topic, state, place)
ORDER BY place
