DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT c.relname, c.relkind FROM pg_class AS c
        WHERE c.relnamespace = 'projections_rebuild'::regnamespace AND c.relkind IN ('v', 'r')
        ORDER BY c.relkind = 'r'
    LOOP
        EXECUTE format(
            'DROP %s projections_rebuild.%I',
            CASE part.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END,
            part.relname
        );
    END LOOP;
END
$$
