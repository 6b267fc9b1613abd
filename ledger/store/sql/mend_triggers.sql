-- A restore that switches triggers off for a while leaves them as such that a replica does not run.
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT tgname AS name, tgrelid::regclass AS relation
        FROM pg_trigger
        JOIN pg_class ON pg_class.oid = tgrelid
        JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE
            relnamespace = 'ledger'::regnamespace AND pronamespace = 'ledger'::regnamespace
            AND NOT tgisinternal AND tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', part.relation, part.name);
        RAISE NOTICE 'The trigger % on % runs again.', part.name, part.relation USING ERRCODE = 'JL000';
    END LOOP;
END
$$;
