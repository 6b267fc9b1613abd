-- What a migration makes there, and no more: what others made of it keeps it from being dropped, and is named then.
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT relname, CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
        FROM pg_class
        WHERE relnamespace = 'cleared_schema'::regnamespace AND relkind IN ('v', 'r')
        ORDER BY relkind = 'r'
    LOOP
        EXECUTE format('DROP %s cleared_schema.%I', part.kind, part.relname);
    END LOOP;
    FOR part IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'cleared_schema'::regnamespace LOOP
        EXECUTE format('DROP FUNCTION %s', part.name);
    END LOOP;
END
$$;
