-- Whether whoever migrates can do it here; what is missing is named before anything is changed.
DO $$
DECLARE
    acting text := CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END;
    owner oid := (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger');
    former oid := (
        SELECT relowner FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'ledger' AND relname = 'stored_events' AND relowner <> nspowner
    );
BEGIN
    IF getdatabaseencoding() <> 'UTF8' THEN
        RAISE EXCEPTION 'The database % must keep text as UTF8, and keeps it as %; create one with ENCODING ''UTF8'' TEMPLATE template0.',
            current_database(), getdatabaseencoding() USING ERRCODE = 'JL004';
    END IF;
    IF owner IS NOT NULL AND NOT pg_has_role(owner, acting) THEN
        RAISE EXCEPTION 'The ledger belongs to the role %, which % may not act as; migrate as that role, or GRANT % TO %.%',
            owner::regrole, current_user::regrole, owner::regrole, current_user::regrole,
            CASE
                WHEN former IS NOT NULL THEN format(
                    ' Its events are those of %s: where all was, let a superuser say ALTER SCHEMA ledger OWNER TO %s.',
                    former::regrole, former::regrole
                )
                ELSE ''
            END
            USING ERRCODE = 'JL004';
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
