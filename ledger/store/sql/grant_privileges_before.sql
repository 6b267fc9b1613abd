-- What the projector needs before it can own the views; only where the roles exist.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader']) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name AND pg_has_role(oid, 'MEMBER'))
    ) THEN
        RETURN;
    END IF;
    ALTER DEFAULT PRIVILEGES FOR ROLE jobledger_projector
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO jobledger_writer;
    ALTER DEFAULT PRIVILEGES FOR ROLE jobledger_projector GRANT SELECT ON TABLES TO jobledger_reader;
    ALTER SCHEMA projections OWNER TO jobledger_projector;
    ALTER SCHEMA projections_rebuild OWNER TO jobledger_projector;
    ALTER SCHEMA history OWNER TO jobledger_projector;
    GRANT USAGE ON SCHEMA projections, history TO jobledger_writer, jobledger_reader;
    GRANT USAGE ON SCHEMA ledger TO jobledger_writer, jobledger_projector, jobledger_reader;
END
$$;
