-- Whether whoever migrates can do it here; what is missing is named before anything is changed.
DO $$
DECLARE
    acting text := CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END;
    owner oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger');
BEGIN
    PERFORM set_config('client_min_messages', 'notice', true); -- in which a migration says what it mended
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'The database % must keep text as UTF8, and keeps it as %; create one with ENCODING ''UTF8'' TEMPLATE template0.',
            current_database(), getdatabaseencoding() USING ERRCODE = 'JL004';
    END IF;
    IF owner IS NOT NULL AND NOT pg_has_role(owner, acting) THEN
        RAISE EXCEPTION 'The ledger belongs to the role %, which % may not act as; migrate as that role, or GRANT % TO %.',
            owner::regrole, current_user::regrole, owner::regrole, current_user::regrole USING ERRCODE = 'JL004';
    END IF;
    IF NOT has_database_privilege(current_database(), 'CREATE') AND 4 > (
        SELECT count(*) FROM pg_namespace
        WHERE nspname IN ('ledger', 'projections', 'projections_rebuild', 'history')
    ) THEN
        RAISE EXCEPTION 'A migration makes schemas, and the role % lacks the right CREATE on the database %; migrate as its owner, or GRANT CREATE ON DATABASE % TO %.',
            current_user::regrole, current_database(), quote_ident(current_database()), current_user::regrole
            USING ERRCODE = 'JL004';
    END IF;
END
$$;
