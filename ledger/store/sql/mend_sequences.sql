-- What was copied row by row has its numbers, and the sequence that gives the next one knows nothing of them.
DO $$
DECLARE
    newest bigint;
BEGIN
    SELECT max(number) INTO newest FROM ledger.checkpoints;
    IF newest >= (SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM ledger.checkpoints_number_seq) THEN
        PERFORM setval('ledger.checkpoints_number_seq', newest);
        RAISE NOTICE 'The sequence of ledger.checkpoints goes on after %.', newest USING ERRCODE = 'JL000';
    END IF;
    SELECT max(number) INTO newest FROM ledger.seal_keys;
    IF newest >= (SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM ledger.seal_keys_number_seq) THEN
        PERFORM setval('ledger.seal_keys_number_seq', newest);
        RAISE NOTICE 'The sequence of ledger.seal_keys goes on after %.', newest USING ERRCODE = 'JL000';
    END IF;
END
$$;
