SELECT name, setting
FROM pg_settings
WHERE (name IN ('fsync', 'full_page_writes') AND setting <> 'on')
    OR (name = 'synchronous_commit' AND setting = 'off')
    OR (
        -- These let no commit wait for the standbys that are named.
        current_setting('synchronous_standby_names') <> ''
        AND (name, setting) IN (('synchronous_commit', 'local'), ('max_wal_senders', '0'))
    )
ORDER BY name
