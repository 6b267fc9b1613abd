SELECT type, id FROM json_to_recordset(%(entities)s::json) AS entity (type text, id text)
