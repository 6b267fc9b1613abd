SELECT
    EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relowner <> nspowner AND relkind IN ('r', 'v', 'S')
    ) OR EXISTS (
        SELECT FROM pg_proc
        WHERE
            pronamespace IN (to_regnamespace('ledger'), to_regnamespace('projections'), to_regnamespace('history'))
            AND proowner <> nspowner
    ) AS misowned
FROM pg_namespace
WHERE nspname = 'ledger'
