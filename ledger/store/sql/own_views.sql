-- The schemas of the views and all in them belong to whom the ledger belongs to. Older releases let the projector own
-- them, who could add code that others would run: what is there of that must be looked at before anything is migrated.
DO $$
DECLARE
    owner oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger');
    schemas oid[] := ARRAY(
        SELECT oid FROM pg_namespace WHERE nspname IN ('projections', 'projections_rebuild', 'history')
    );
    planted text;
    part record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE oid = ANY(schemas) AND nspowner <> owner) THEN
        RETURN;
    END IF;
    SELECT string_agg(found.what, ', ' ORDER BY found.what) INTO planted
    FROM (
        SELECT 'function ' || oid::regprocedure AS what FROM pg_proc WHERE pronamespace = ANY(schemas)
        UNION ALL
        SELECT 'operator ' || oid::regoperator FROM pg_operator WHERE oprnamespace = ANY(schemas)
        UNION ALL
        SELECT 'type ' || oid::regtype FROM pg_type WHERE typnamespace = ANY(schemas) AND typtype IN ('b', 'd', 'r') AND typelem = 0
        UNION ALL
        SELECT format('trigger %s on %s', tgname, tgrelid::regclass)
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = ANY(schemas) AND NOT tgisinternal
        UNION ALL
        SELECT format('rule %s on %s', rulename, ev_class::regclass)
        FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
        WHERE relnamespace = ANY(schemas) AND rulename <> '_RETURN'
        UNION ALL
        SELECT format('policy %s on %s', polname, polrelid::regclass)
        FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid
        WHERE relnamespace = ANY(schemas)
        UNION ALL
        SELECT format('default of %s on %s', attname, adrelid::regclass)
        FROM pg_attrdef
        JOIN pg_class ON pg_class.oid = adrelid
        JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE relnamespace = ANY(schemas)
    ) AS found;
    IF planted IS NOT NULL THEN
        RAISE EXCEPTION 'The schemas of the views must hold nothing but views, and these would run in the sessions of others: %.',
            planted USING ERRCODE = 'JL003', HINT = 'Look who made them; drop them or move them to another schema.';
    END IF;
    FOR part IN SELECT nspname FROM pg_namespace WHERE oid = ANY(schemas) AND nspowner <> owner LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO %s', part.nspname, owner::regrole);
    END LOOP;
    FOR part IN
        SELECT oid::regclass AS relation
        FROM pg_class
        WHERE relnamespace = ANY(schemas) AND relkind IN ('r', 'v') AND relowner <> owner
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %s', part.relation, owner::regrole);
    END LOOP;
END
$$;
