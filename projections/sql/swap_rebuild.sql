-- The tables that were built come in the place of the live ones. What is shown of these is put up again.
DO $$
DECLARE
    part record;
    shown text;
BEGIN
    SELECT string_agg(format('CREATE VIEW projections.%I AS %s', c.relname, pg_get_viewdef(c.oid)), ' ' ORDER BY c.oid)
    INTO shown
    FROM pg_class AS c
    WHERE c.relnamespace = 'projections'::regnamespace AND c.relkind = 'v';
    FOR part IN SELECT c.oid FROM pg_class AS c
        WHERE c.relnamespace = 'projections'::regnamespace AND c.relkind = 'v'
        ORDER BY c.oid DESC
    LOOP
        EXECUTE format('DROP VIEW %s', part.oid::regclass);
    END LOOP;
    FOR part IN SELECT c.relname FROM pg_class AS c
        WHERE c.relnamespace = 'projections_rebuild'::regnamespace AND c.relkind = 'r' AND c.relname <> 'tracking'
    LOOP
        EXECUTE format('DROP TABLE projections.%I', part.relname);
        EXECUTE format('ALTER TABLE projections_rebuild.%I SET SCHEMA projections', part.relname);
    END LOOP;
    EXECUTE shown;
    INSERT INTO projections.tracking SELECT * FROM projections_rebuild.tracking
    ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position;
END
$$
