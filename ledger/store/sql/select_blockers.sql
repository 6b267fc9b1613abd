-- For what a process waits, and who holds it; one without a process is a prepared transaction.
SELECT
    coalesce(
        (
            SELECT CASE locktype WHEN 'relation' THEN 'a lock on ' || relation::regclass::text WHEN 'advisory' THEN 'a turn' END
            FROM pg_locks WHERE pid = %(pid)s AND NOT granted
            LIMIT 1
        ),
        'a row that another transaction has changed'
    ) AS waits_for,
    blocker.pid,
    CASE blocker.pid
        WHEN 0 THEN 'prepared transaction ' || (
            SELECT string_agg(gid, ', ' ORDER BY prepared) FROM pg_prepared_xacts WHERE database = current_database()
        )
        ELSE application_name
    END AS holder,
    usename::text AS role,
    xact_start AS since
FROM unnest(pg_blocking_pids(%(pid)s)) AS blocker (pid) LEFT JOIN pg_stat_activity AS activity USING (pid)
ORDER BY since NULLS LAST
LIMIT 1
