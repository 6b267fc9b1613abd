SELECT wanted.name, wanted.relation
FROM (
    VALUES
        ('refuse_forged_tile', 'tiles'),
        ('refuse_forged_checkpoint', 'checkpoints'),
        ('refuse_forged_key', 'seal_keys'),
        ('refuse_all_but_growth', 'tiles'),
        ('refuse_unsealing', 'tiles'),
        ('refuse_unsealing', 'checkpoints'),
        ('refuse_unsealing', 'seal_keys'),
        ('refuse_unsealing', 'set_aside')
) AS wanted (name, relation)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger
    WHERE tgrelid = ('ledger.' || wanted.relation)::regclass AND tgname = wanted.name AND tgenabled = 'A'
)
