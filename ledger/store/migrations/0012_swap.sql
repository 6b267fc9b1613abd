-- Puts the tables that were built in the place of the live ones. What is shown of these is put up again. How far each view
-- is goes into the newest epoch.
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
    INSERT INTO projections.tracking (view, version, position, epoch)
    SELECT view, version, position, (SELECT coalesce(max(epoch), 0) FROM projections.tracking)
    FROM projections_rebuild.tracking
    ON CONFLICT (epoch, view) DO UPDATE SET version = excluded.version, position = excluded.position;
    PERFORM ledger.clear_rebuild();
END
$$;
