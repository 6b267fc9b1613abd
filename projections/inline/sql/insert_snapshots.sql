INSERT INTO projections.snapshots (job, position, version, document, entities)
SELECT said.job, said.position, said.version, line.document::json, line.entities::json
FROM ROWS FROM (
    string_to_table(%(past_documents)s, E'\n'), string_to_table(%(past_entities)s, E'\n')
) AS line (document, entities)
CROSS JOIN LATERAL json_to_record(line.document::json) AS said (job text, position bigint, version bigint)
ON CONFLICT DO NOTHING
