-- The roles that share all ledgers of a cluster; where creating them is not allowed, migration goes on without.
-- Whoever made a role acts as it and has its rights too, which from PostgreSQL 16 on is more than to have created it.
DO $$
DECLARE
    role text;
    newer boolean := current_setting('server_version_num')::integer >= 160000;
    held text := CASE WHEN newer THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH role IN ARRAY ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
                RAISE NOTICE 'The role % was missing, and is made; grant it to whom it is for.', role USING ERRCODE = 'JL000';
            END IF;
            IF NOT (pg_has_role(role, held) AND (pg_has_role(role, 'USAGE') OR NOT newer)) THEN
                EXECUTE format(
                    'GRANT %I TO CURRENT_USER%s', role, CASE WHEN newer THEN ' WITH SET TRUE, INHERIT TRUE' ELSE '' END
                );
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege OR internal_error THEN -- the second where an administrator inherits nothing
                -- A role that others made serves as it is: whoever owns the ledger grants to it without being in it.
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                    RAISE NOTICE 'The role % is missing, and % lacks CREATEROLE to make it: let an administrator run CREATE ROLE % NOLOGIN, then run jobledger migrate again.',
                        role, current_user::regrole, role USING ERRCODE = 'JL000';
                END IF;
        END;
    END LOOP;
END
$$;
