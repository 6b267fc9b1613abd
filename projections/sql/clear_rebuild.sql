DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'projections_rebuild'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('DROP TABLE projections_rebuild.%I CASCADE', part.relname);
    END LOOP;
END
$$
