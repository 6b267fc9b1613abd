-- Who holds the append lock, and the end of an append whose client stands still: whoever appends may ask for both.

-- The roles of others are not shown what a process waits for, but here. The lock is the advisory one and the gate, of
-- which one alone was taken by other releases; who still waits for one of them holds up nobody.
CREATE FUNCTION append_holder() RETURNS TABLE (
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
        SELECT pg_locks.pid, granted, locktype
        FROM pg_locks
        WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (
                locktype = 'advisory' AND objsubid = 1
                AND classid::bigint << 32 | objid::bigint = 7308604896899097444
                OR locktype = 'relation' AND relation = to_regclass('ledger.gate') AND mode = 'ExclusiveLock'
            )
    )
    SELECT
        lock.pid, application_name, usename::text, xact_start, activity.state,
        wait_event_type || '/' || wait_event, state_change
    FROM lock LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
    GROUP BY lock.pid, application_name, usename, xact_start, activity.state, wait_event_type, wait_event, state_change
    HAVING bool_and(granted)
    ORDER BY bool_or(locktype = 'relation') DESC, xact_start NULLS LAST
    LIMIT 1
$$;

-- It can end nothing else, and takes no word for what it ends: in a whole second of looking, whoever holds the lock must
-- wait for its client, and must have begun to 10 seconds ago. What an append that is ended has not committed was not
-- recorded. Else it says why it has ended
-- nothing: nobody holds the lock, or somebody at work, or its owner may not see or end what others do.
CREATE FUNCTION end_frozen_append() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen record;
    now_seen record;
BEGIN
    SELECT * INTO seen FROM ledger.append_holder();
    IF seen.pid IS NULL THEN
        RETURN 'free';
    END IF;
    FOR look IN 0..5 LOOP
        IF look > 0 THEN
            PERFORM pg_sleep(0.2), pg_stat_clear_snapshot();
        END IF;
        SELECT * INTO now_seen FROM ledger.append_holder();
        IF now_seen.pid IS DISTINCT FROM seen.pid OR now_seen.since IS DISTINCT FROM seen.since THEN
            RETURN 'free';
        END IF;
        IF now_seen.state IS NULL THEN
            RETURN 'not shown';
        END IF;
        IF now_seen.waits_for IS NULL OR now_seen.waits_for NOT LIKE 'Client/%'
            OR now_seen.changed_at IS DISTINCT FROM seen.changed_at
            OR now_seen.changed_at > clock_timestamp() - interval '10 seconds'
        THEN
            RETURN 'at work';
        END IF;
    END LOOP;
    PERFORM pg_terminate_backend(seen.pid);
    RETURN 'ended';
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 'not allowed';
END
$$;

REVOKE ALL ON FUNCTION append_holder(), end_frozen_append() FROM PUBLIC;
