-- What was copied row by row has its numbers, and the sequence that gives the next one knows nothing of them.
DO $$
DECLARE
    newest bigint;
BEGIN
    SELECT max(number) INTO newest FROM ledger.checkpoints;
    IF newest >= (SELECT last_value FROM ledger.checkpoints_number_seq) THEN
        PERFORM setval('ledger.checkpoints_number_seq', newest);
    END IF;
    SELECT max(number) INTO newest FROM ledger.seal_keys;
    IF newest >= (SELECT last_value FROM ledger.seal_keys_number_seq) THEN
        PERFORM setval('ledger.seal_keys_number_seq', newest);
    END IF;
END
$$;
