-- Who seals is another than who writes events; where that role is missing, who writes must do.
DO $$
DECLARE
    sealer text := (
        SELECT rolname FROM pg_roles
        WHERE rolname IN ('jobledger_sealer', 'jobledger_writer')
        ORDER BY rolname LIMIT 1
    );
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'jobledger_writer') THEN
        REVOKE INSERT, UPDATE ON ledger.tiles, ledger.checkpoints, ledger.seal_keys FROM jobledger_writer;
    END IF;
    IF sealer IS NOT NULL THEN
        EXECUTE format('GRANT USAGE ON SCHEMA ledger TO %I', sealer);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO %I', sealer);
        EXECUTE format(
            'GRANT EXECUTE ON FUNCTION '
            'ledger.take_seal_lock(), ledger.end_frozen(bigint), ledger.fault_of_checkpoint(bigint, text), ledger.fault_of_key(text) TO %I',
            sealer
        );
        EXECUTE format('GRANT INSERT, UPDATE (hashes, sums) ON ledger.tiles TO %I', sealer);
        EXECUTE format('GRANT INSERT (size, note) ON ledger.checkpoints TO %I', sealer);
        EXECUTE format('GRANT INSERT (verifier_key, rotation) ON ledger.seal_keys TO %I', sealer);
    END IF;
END
$$;
