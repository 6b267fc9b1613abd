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
        SELECT 'function ' || oid::regprocedure AS what FROM pg_proc
        WHERE pronamespace = ANY(schemas) AND proowner <> owner
        UNION ALL
        SELECT 'operator ' || oid::regoperator FROM pg_operator WHERE oprnamespace = ANY(schemas)
        UNION ALL
        SELECT 'type ' || oid::regtype FROM pg_type
        WHERE
            typnamespace = ANY(schemas)
            AND NOT EXISTS (
                SELECT FROM pg_class WHERE reltype IN (pg_type.oid, pg_type.typelem) AND relkind IN ('r', 'v')
            )
        UNION ALL
        SELECT 'relation ' || oid::regclass FROM pg_class
        WHERE
            relnamespace = ANY(schemas)
            AND relkind NOT IN ('i', 't')
            AND (relkind, relname) NOT IN (
                ('r', 'tracking'), ('r', 'job_status'), ('r', 'running_jobs'), ('r', 'told'), ('r', 'snapshots'),
                ('r', 'damaged'), ('r', 'entries'), ('r', 'touched'), ('r', 'jobs'), ('r', 'activity'),
                ('r', 'asked_below'), ('v', 'job_view'), ('v', 'job_expiry')
            )
        UNION ALL
        SELECT format('type of %s in %s', attname, attrelid::regclass)
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid
        JOIN pg_type ON pg_type.oid = atttypid
        WHERE relnamespace = ANY(schemas) AND relkind = 'r' AND typnamespace <> 'pg_catalog'::regnamespace
        UNION ALL
        SELECT format('constraint %s on %s', conname, conrelid::regclass)
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        WHERE relnamespace = ANY(schemas) AND contype NOT IN ('p', 'n')
        UNION ALL
        -- Ours are of columns, and where they are of some rows alone they compare these with words.
        SELECT 'index ' || indexrelid::regclass
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE
            relnamespace = ANY(schemas)
            AND (indexprs IS NOT NULL OR pg_get_expr(indpred, indrelid) ~ '\w\(|::[^ ]+\.|OPERATOR')
        UNION ALL
        SELECT format('statistics %I', stxname)
        FROM pg_statistic_ext JOIN pg_class ON pg_class.oid = stxrelid
        WHERE relnamespace = ANY(schemas) OR stxnamespace = ANY(schemas)
        UNION ALL
        SELECT format('inheritance of %s', inhrelid::regclass)
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = inhrelid
        JOIN pg_class AS parent ON parent.oid = inhparent
        WHERE (child.relnamespace = ANY(schemas) OR parent.relnamespace = ANY(schemas)) AND child.relkind <> 'i'
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
        WHERE pg_get_expr(adbin, adrelid) <> '("position" / 64)' AND relnamespace = ANY(schemas)
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
