-- Who may do what on events; it doubles as the list of what each role needs. Only roles that exist are granted anything.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader']) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
    ) THEN
        RETURN;
    END IF;
    GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO jobledger_writer, jobledger_projector, jobledger_reader;
    GRANT INSERT (originator_id, originator_version, topic, state) ON ledger.stored_events TO jobledger_writer;
    GRANT INSERT, UPDATE, DELETE ON ledger.leases TO jobledger_writer;
    GRANT USAGE ON TYPE ledger.stored_event_text TO jobledger_writer;
END
$$;
