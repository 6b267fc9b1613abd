-- Everything belongs to whom the ledger belongs to, whoever migrates it.
DO $$
DECLARE
    owner text := (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'ledger');
BEGIN
    IF owner <> quote_ident(current_user) THEN
        EXECUTE format('SET LOCAL ROLE %s', owner);
    END IF;
END
$$;
