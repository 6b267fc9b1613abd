-- The views belong to whom the ledger belongs to, and no other role may make anything in their schemas: what the owner of
-- a table adds to it (a trigger, a rule, a default) runs in the session of whoever writes it, an administrator's too. The
-- projector fills the views, and has them built beside and swapped by the functions below.

-- Lets one session at a time rebuild, until it lets go or ends. Somebody who holds the lock without the right to is named,
-- for a rebuild beside another that cannot be told from it would be worse than none.
CREATE FUNCTION take_rebuild_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '250ms' AS $$
BEGIN
    LOOP
        BEGIN
            PERFORM pg_advisory_lock(7308604896899097448);
            RETURN;
        EXCEPTION
            WHEN lock_not_available THEN
                IF NOT ledger.is_held_by_right(7308604896899097448, 'ledger.begin_rebuild(text[])') THEN
                    RAISE EXCEPTION 'Rebuilds take turns, and somebody who may not rebuild holds their lock (process %); end that session.', (
                        SELECT string_agg(pid::text, ', ') FROM pg_locks
                        WHERE
                            locktype = 'advisory'
                            AND objid = 1532617576
                            AND granted
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    ) USING ERRCODE = 'JL004';
                END IF;
        END;
    END LOOP;
END
$$;

-- Drops what a rebuild left behind.
CREATE FUNCTION clear_rebuild() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT relname, CASE relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END AS kind
        FROM pg_class
        WHERE relnamespace = 'projections_rebuild'::regnamespace AND relkind IN ('v', 'r')
        ORDER BY relkind = 'r'
    LOOP
        EXECUTE format('DROP %s projections_rebuild.%I', part.kind, part.relname);
    END LOOP;
END
$$;

-- What gives those who hold a right on one relation the same on another.
CREATE FUNCTION grants_of(source regclass, target text) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'GRANT %s ON %s TO %s', granted.privilege_type, target,
        CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE granted.grantee::regrole::text END
    )
    FROM pg_class AS relation
    CROSS JOIN LATERAL aclexplode(relation.relacl) AS granted
    WHERE relation.oid = source AND granted.grantee <> relation.relowner
$$;

-- Makes empty tables like those of the views that are rebuilt, and lets the others be read as they stand.
CREATE FUNCTION begin_rebuild(rebuilt text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    made text;
BEGIN
    PERFORM ledger.clear_rebuild();
    FOR part IN
        SELECT oid::regclass AS live, relname AS name, relname = ANY(rebuilt) OR relname = 'tracking' AS anew, reloptions
        FROM pg_class
        WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r'
    LOOP
        IF NOT part.anew THEN
            EXECUTE format('CREATE VIEW projections_rebuild.%I AS SELECT * FROM %s', part.name, part.live);
        ELSE
            EXECUTE format(
                'CREATE TABLE projections_rebuild.%I (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)',
                part.name, part.live
            );
            IF part.reloptions IS NOT NULL THEN
                EXECUTE format(
                    'ALTER TABLE projections_rebuild.%I SET (%s)', part.name, array_to_string(part.reloptions, ', ')
                );
            END IF;
            FOR made IN
                SELECT CASE
                    WHEN held.oid IS NULL THEN
                        regexp_replace(pg_get_indexdef(each.indexrelid), ' ON projections\.', ' ON projections_rebuild.')
                    ELSE format(
                        'ALTER TABLE projections_rebuild.%I ADD CONSTRAINT %I %s',
                        part.name, held.conname, pg_get_constraintdef(held.oid)
                    )
                END
                FROM pg_index AS each
                LEFT JOIN pg_constraint AS held ON held.conindid = each.indexrelid AND held.conrelid = each.indrelid
                WHERE each.indrelid = part.live
            LOOP
                EXECUTE made;
            END LOOP;
        END IF;
        FOR made IN SELECT ledger.grants_of(part.live, format('projections_rebuild.%I', part.name)) LOOP
            EXECUTE made;
        END LOOP;
    END LOOP;
END
$$;

-- Looks at how the tables are filled, so that what is asked of them is planned for that.
CREATE FUNCTION analyze_rebuild() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT relname FROM pg_class WHERE relnamespace = 'projections_rebuild'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ANALYZE projections_rebuild.%I', part.relname);
    END LOOP;
END
$$;

-- Puts the tables that were built in the place of the live ones. What is shown of these is put up again.
CREATE FUNCTION swap_rebuild() RETURNS void
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
    INSERT INTO projections.tracking SELECT * FROM projections_rebuild.tracking
    ON CONFLICT (view) DO UPDATE SET version = excluded.version, position = excluded.position;
    PERFORM ledger.clear_rebuild();
END
$$;

REVOKE ALL ON FUNCTION
    take_rebuild_lock(), clear_rebuild(), grants_of(regclass, text), begin_rebuild(text[]), analyze_rebuild(), swap_rebuild()
FROM PUBLIC;
