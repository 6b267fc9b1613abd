INSERT INTO history.activity SELECT * FROM json_populate_recordset(NULL::history.activity, %(rows)s)
