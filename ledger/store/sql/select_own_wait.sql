-- What the process behind a connection does, asked over another one: of one server, where it is the same.
SELECT
    pg_postmaster_start_time()::text = %(started)s AS same_server,
    pg_is_in_recovery() AS standby,
    activity.pid IS NOT NULL AS present,
    wait_event_type = 'Client' AS waits_for_client,
    state_change::text AS changed_at,
    EXISTS (SELECT FROM pg_locks WHERE pid = %(pid)s AND NOT granted) AS waits_for_lock,
    (
        SELECT CASE
            WHEN locktype = 'advisory' AND objsubid = 1 THEN classid::bigint << 32 | objid::bigint
            WHEN relation = to_regclass('ledger.gate') THEN 7308604896899097444
            WHEN relation = to_regclass('ledger.seal_gate') THEN 7308604896899097446
            WHEN relation = to_regclass('ledger.follow_gate') THEN 7308604896899097447
        END
        FROM pg_locks
        WHERE pid = %(pid)s AND NOT granted
        LIMIT 1
    ) AS waits_for_key
FROM (VALUES (true)) AS one (row) LEFT JOIN pg_stat_activity AS activity ON activity.pid = %(pid)s
