-- Puts the tables that were built in the place of the live ones. What is shown of these is put up again.
CREATE OR REPLACE FUNCTION swap_rebuild() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    shown text[] := '{}';
    made text;
BEGIN
    FOR part IN
        SELECT oid, format('projections.%I', relname) AS name
        FROM pg_class
        WHERE relnamespace = 'projections'::regnamespace AND relkind = 'v'
        ORDER BY oid
    LOOP
        shown := shown || format('CREATE VIEW %s AS %s', part.name, pg_get_viewdef(part.oid))
            || ARRAY(SELECT ledger.grants_of(part.oid, part.name));
    END LOOP;
    FOR part IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'projections'::regnamespace AND relkind = 'v'
        ORDER BY oid DESC
    LOOP
        EXECUTE format('DROP VIEW %s', part.oid::regclass);
    END LOOP;
    FOR part IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'projections_rebuild'::regnamespace AND relkind = 'r' AND relname <> 'tracking'
    LOOP
        EXECUTE format('DROP TABLE projections.%I', part.relname);
        EXECUTE format('ALTER TABLE projections_rebuild.%I SET SCHEMA projections', part.relname);
    END LOOP;
    FOREACH made IN ARRAY shown LOOP
        EXECUTE made;
    END LOOP;
    DELETE FROM projections.tracking WHERE view IN (SELECT view FROM projections_rebuild.tracking);
    INSERT INTO projections.tracking (view, version, position)
    SELECT view, version, position FROM projections_rebuild.tracking;
    PERFORM ledger.clear_rebuild();
END
$$;
