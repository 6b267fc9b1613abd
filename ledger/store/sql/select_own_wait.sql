-- What the process behind a connection does, asked over another one: of one server, where it is the same.
SELECT
    pg_postmaster_start_time()::text = %(started)s AS same_server,
    pg_is_in_recovery() AS standby,
    activity.pid IS NOT NULL AS present,
    wait_event_type = 'Client' AS waits_for_client,
    state_change::text AS changed_at,
    EXISTS (SELECT FROM pg_locks WHERE pid = %(pid)s AND NOT granted) AS waits_for_lock,
    EXISTS (
        SELECT FROM pg_locks
        WHERE pid = %(pid)s AND NOT granted
            AND (
                locktype = 'advisory' AND objsubid = 1
                AND classid::bigint << 32 | objid::bigint = 7308604896899097444
                OR locktype = 'relation' AND relation = to_regclass('ledger.gate')
            )
    ) AS waits_for_append
FROM (VALUES (true)) AS one (row) LEFT JOIN pg_stat_activity AS activity ON activity.pid = %(pid)s
