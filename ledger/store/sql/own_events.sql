-- What is in the schema of the events belongs to whom the schema belongs to; a restore may have left it to another. Called
-- only where nothing is there but the ledger's, for what a role planted would run with the rights of its new owner.
DO $$
DECLARE
    owner oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger');
    part record;
BEGIN
    FOR part IN
        SELECT 'TABLE ' || oid::regclass AS what FROM pg_class
        WHERE relnamespace = 'ledger'::regnamespace AND relowner <> owner AND relkind IN ('r', 'v')
        UNION ALL
        SELECT 'SEQUENCE ' || classes.oid::regclass FROM pg_class AS classes
        WHERE
            relnamespace = 'ledger'::regnamespace AND relowner <> owner AND relkind = 'S'
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = classes.oid AND deptype IN ('a', 'i') AND refobjsubid > 0
            )
        UNION ALL
        SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'ledger'::regnamespace AND proowner <> owner
        UNION ALL
        SELECT 'TYPE ' || oid::regtype FROM pg_type
        WHERE
            typnamespace = 'ledger'::regnamespace AND typowner <> owner AND typelem = 0
            AND (SELECT relkind FROM pg_class WHERE pg_class.oid = typrelid) = 'c'
    LOOP
        EXECUTE format('ALTER %s OWNER TO %s', part.what, owner::regrole);
    END LOOP;
    FOR part IN
        SELECT oid::regprocedure AS what FROM pg_proc
        WHERE pronamespace IN ('projections'::regnamespace, 'history'::regnamespace) AND proowner <> owner
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %s', part.what, owner::regrole);
    END LOOP;
END
$$;
