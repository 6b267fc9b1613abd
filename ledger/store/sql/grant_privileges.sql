-- Who may do what; it doubles as the list of what each role needs. Only where all roles exist is anything granted.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(ARRAY['jobledger_writer', 'jobledger_projector', 'jobledger_reader']) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name)
    ) THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA ledger, projections, history TO jobledger_writer, jobledger_projector, jobledger_reader;
    GRANT USAGE ON SCHEMA projections_rebuild TO jobledger_projector;
    GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO jobledger_writer, jobledger_projector, jobledger_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA projections, history
    TO jobledger_writer, jobledger_projector, jobledger_reader;
    GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections, history TO jobledger_writer, jobledger_projector;
    GRANT TRUNCATE ON ALL TABLES IN SCHEMA history TO jobledger_projector;
    GRANT INSERT (originator_id, originator_version, topic, state) ON ledger.stored_events TO jobledger_writer;
    GRANT SELECT ON SEQUENCE ledger.append_time TO jobledger_writer;
    GRANT EXECUTE ON FUNCTION ledger.take_append_lock(), ledger.take_follow_lock()
    TO jobledger_writer, jobledger_projector;
    GRANT EXECUTE ON FUNCTION ledger.append_holder(), ledger.end_frozen_append() TO jobledger_writer;
    GRANT EXECUTE ON FUNCTION ledger.end_frozen(bigint) TO jobledger_writer, jobledger_projector;
    GRANT EXECUTE ON FUNCTION
        ledger.take_rebuild_lock(), ledger.begin_rebuild(text[]), ledger.analyze_rebuild(), ledger.swap_rebuild(), ledger.clear_rebuild()
    TO jobledger_projector;
    GRANT INSERT, UPDATE, DELETE ON ledger.leases TO jobledger_writer;
    GRANT USAGE ON TYPE ledger.stored_event_text TO jobledger_writer;
END
$$;
