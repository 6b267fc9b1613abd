SELECT
    current_setting('transaction_read_only') = 'off'
    AND has_table_privilege('history.tracking', 'INSERT')
    AND has_table_privilege('history.tracking', 'UPDATE') AS may
