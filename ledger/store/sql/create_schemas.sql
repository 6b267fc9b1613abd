DO $$
DECLARE
    wanted text;
BEGIN
    -- What is there is not spoken of: to do so takes a right on the database, even where nothing is made.
    FOREACH wanted IN ARRAY ARRAY['ledger', 'projections', 'projections_rebuild', 'history'] LOOP
        IF to_regnamespace(wanted) IS NULL THEN
            EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', wanted);
        END IF;
    END LOOP;
    IF NOT EXISTS (
        SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'ledger' AND relname = 'migrations'
    ) THEN
        CREATE TABLE IF NOT EXISTS ledger.migrations (
            schema text NOT NULL,
            number integer NOT NULL,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (schema, number)
        );
    END IF;
END
$$;
