INSERT INTO activity SELECT * FROM json_populate_recordset(NULL::activity, %(rows)s)
