SELECT tgname AS name, tgenabled = 'A' AS always
FROM pg_trigger
WHERE tgrelid = 'ledger.stored_events'::regclass AND NOT tgisinternal
