-- Those that would give a number that is there: rows were copied, and the sequence was not.
SELECT name, of FROM (VALUES
    (
        'ledger.checkpoints_number_seq', 'ledger.checkpoints',
        (SELECT max(number) FROM ledger.checkpoints), 'ledger.checkpoints_number_seq'::regclass
    ),
    (
        'ledger.seal_keys_number_seq', 'ledger.seal_keys',
        (SELECT max(number) FROM ledger.seal_keys), 'ledger.seal_keys_number_seq'::regclass
    )
) AS numbers (name, of, there, sequence)
-- Who may not read a sequence is not shown it.
WHERE CASE
    WHEN has_sequence_privilege(sequence, 'SELECT') THEN there > coalesce(pg_sequence_last_value(sequence), 0) ELSE false
END
