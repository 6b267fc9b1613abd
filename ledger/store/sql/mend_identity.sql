-- The ledger is called what is sealed in it calls it; where nothing does, and it has no name, it gets one.
DO $$
DECLARE
    there uuid := (SELECT ledger FROM ledger.identity);
    evident uuid[] := ARRAY(SELECT ledger.evident_names());
BEGIN
    IF there IS NULL AND cardinality(evident) > 1 THEN
        RAISE EXCEPTION 'The ledger must have one name, and what is sealed in it has %; INSERT the right one INTO ledger.identity (ledger).',
            array_to_string(evident, ' and ') USING ERRCODE = 'JL003';
    ELSIF there IS NULL THEN
        INSERT INTO ledger.identity (ledger) VALUES (coalesce(evident[1], gen_random_uuid()));
        RAISE NOTICE 'The ledger has its name again: %.', (SELECT ledger FROM ledger.identity) USING ERRCODE = 'JL000';
    ELSIF cardinality(evident) = 1 AND there <> evident[1] THEN
        UPDATE ledger.identity SET ledger = evident[1];
        RAISE NOTICE 'The ledger has its name again, as what is sealed in it has it: %, and not %.', evident[1], there
            USING ERRCODE = 'JL000';
    END IF;
END
$$;
