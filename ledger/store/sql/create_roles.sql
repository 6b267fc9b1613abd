-- The roles that share all ledgers of a cluster; where creating them is not allowed, migration goes on without.
-- Whoever migrates must be able to act as them, which from PostgreSQL 16 on is more than to have created them.
DO $$
DECLARE
    role text;
    acting text := CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOREACH role IN ARRAY ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader', 'jobledger_sealer'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            END IF;
            IF NOT pg_has_role(role, acting) THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', role);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RAISE NOTICE 'The role % is missing; an administrator can create it.', role;
        END;
    END LOOP;
END
$$;
