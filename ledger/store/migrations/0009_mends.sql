-- A prepared transaction holds what it holds without a process, over restarts too: it is named by what it was prepared as.
-- It is found by the lock on its own id, which stands beside the others that it holds.
CREATE OR REPLACE FUNCTION append_holder() RETURNS TABLE (
    pid integer,
    holder text,
    role text,
    since timestamptz,
    state text,
    waits_for text,
    changed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH lock AS (
        SELECT pg_locks.pid, virtualtransaction, granted, locktype
        FROM pg_locks
        WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (
                locktype = 'advisory' AND objsubid = 1
                AND classid::bigint << 32 | objid::bigint = 7308604896899097444
                OR locktype = 'relation' AND relation = to_regclass('ledger.gate') AND mode = 'ExclusiveLock'
            )
    )
    SELECT
        lock.pid,
        coalesce(application_name, 'prepared transaction ' || prepared.gid),
        coalesce(usename::text, prepared.owner::text),
        coalesce(xact_start, prepared.prepared),
        activity.state,
        wait_event_type || '/' || wait_event,
        state_change
    FROM lock
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
    LEFT JOIN pg_locks AS own
        ON own.pid IS NULL AND lock.pid IS NULL AND own.locktype = 'transactionid' AND own.granted
        AND own.virtualtransaction = lock.virtualtransaction
    LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid
    GROUP BY
        lock.pid, application_name, usename, xact_start, activity.state, wait_event_type, wait_event, state_change,
        prepared.gid, prepared.owner, prepared.prepared
    HAVING bool_and(lock.granted)
    ORDER BY bool_or(lock.locktype = 'relation') DESC, 4 NULLS LAST
    LIMIT 1
$$;

-- Whether two rows say the same, though perhaps in another order. What no order can be told of, since jsonb cannot hold it,
-- is the same where its text is.
CREATE FUNCTION say_the_same(one json, other json) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN one::jsonb IS NOT DISTINCT FROM other::jsonb;
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN RETURN one::text IS NOT DISTINCT FROM other::text;
END
$$;
