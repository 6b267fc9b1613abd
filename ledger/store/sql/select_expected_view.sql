SELECT pg_get_viewdef('pg_temp.jobledger_expected'::regclass) AS printed
