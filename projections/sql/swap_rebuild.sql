DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'projections'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('DROP TABLE projections.%I CASCADE', part.relname);
    END LOOP;
    FOR part IN SELECT c.relname, c.relkind FROM pg_class AS c
        WHERE c.relnamespace = 'projections_rebuild'::regnamespace AND c.relkind IN ('r', 'v')
    LOOP
        EXECUTE format(
            'ALTER %s projections_rebuild.%I SET SCHEMA projections',
            CASE part.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END,
            part.relname
        );
    END LOOP;
END
$$
