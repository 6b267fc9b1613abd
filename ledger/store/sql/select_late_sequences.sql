-- Those that would give a number that is there: rows were copied, and the sequence was not.
SELECT * FROM (VALUES
    (
        'ledger.checkpoints_number_seq', 'ledger.checkpoints',
        (SELECT max(number) FROM ledger.checkpoints), pg_sequence_last_value('ledger.checkpoints_number_seq'::regclass)
    ),
    (
        'ledger.seal_keys_number_seq', 'ledger.seal_keys',
        (SELECT max(number) FROM ledger.seal_keys), pg_sequence_last_value('ledger.seal_keys_number_seq'::regclass)
    )
) AS numbers (name, of, there, given)
WHERE there > coalesce(given, 0)
