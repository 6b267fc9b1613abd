-- A prepared transaction holds what it holds without a process, over restarts too: it is named by what it was prepared as,
-- and it has the rights of who prepared it. It is found by the lock on its own id, which stands beside the others.
CREATE FUNCTION lock_holders(key bigint) RETURNS TABLE (
    pid integer,
    holder text,
    role text,
    since timestamptz,
    state text,
    waits_for text,
    changed_at timestamptz,
    gate boolean,
    granted boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT
        lock.pid,
        coalesce(application_name, 'prepared transaction ' || prepared.gid),
        coalesce(usename::text, prepared.owner::text),
        coalesce(xact_start, prepared.prepared),
        activity.state,
        wait_event_type || '/' || wait_event,
        state_change,
        lock.locktype = 'relation',
        lock.granted
    FROM pg_locks AS lock
    LEFT JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
    LEFT JOIN pg_locks AS own
        ON own.pid IS NULL AND lock.pid IS NULL AND own.locktype = 'transactionid' AND own.granted
        AND own.virtualtransaction = lock.virtualtransaction
    LEFT JOIN pg_prepared_xacts AS prepared ON prepared.transaction = own.transactionid
    WHERE lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (
            lock.locktype = 'advisory' AND lock.objsubid = 1
            AND lock.classid::bigint << 32 | lock.objid::bigint = key
            OR lock.locktype = 'relation' AND lock.mode = 'ExclusiveLock' AND lock.relation = CASE key
                WHEN 7308604896899097444 THEN to_regclass('ledger.gate')
                WHEN 7308604896899097446 THEN to_regclass('ledger.seal_gate')
                WHEN 7308604896899097447 THEN to_regclass('ledger.follow_gate')
            END
        )
$$;

-- Who holds one of the ledger's locks: who still waits for a part of it holds up nobody.
CREATE FUNCTION lock_holder(key bigint) RETURNS TABLE (
    pid integer, holder text, role text, since timestamptz, state text, waits_for text, changed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT pid, holder, role, since, state, waits_for, changed_at
    FROM ledger.lock_holders(key)
    GROUP BY pid, holder, role, since, state, waits_for, changed_at
    HAVING bool_and(granted)
    ORDER BY bool_or(gate) DESC, since NULLS LAST
    LIMIT 1
$$;

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
    SELECT * FROM ledger.lock_holder(7308604896899097444)
$$;

CREATE OR REPLACE FUNCTION is_held_by_right(key bigint, permitting text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT bool_or(coalesce(has_function_privilege(role, permitting, 'EXECUTE'), false))
    FROM ledger.lock_holders(key)
    WHERE NOT gate AND granted
$$;

-- Ends whoever holds one of the ledger's locks and stands still: `end_frozen_append` is that for the append lock. Those who
-- seal, follow or rebuild are ended by the server's own bounds, unless they stand still while it sends them something.
CREATE FUNCTION end_frozen(key bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen record;
    now_seen record;
BEGIN
    IF key NOT IN (7308604896899097444, 7308604896899097446, 7308604896899097447, 7308604896899097448) THEN
        RETURN 'free';
    END IF;
    SELECT * INTO seen FROM ledger.lock_holder(key);
    IF seen.pid IS NULL THEN
        RETURN 'free';
    END IF;
    FOR look IN 0..5 LOOP
        IF look > 0 THEN
            PERFORM pg_sleep(0.2), pg_stat_clear_snapshot();
        END IF;
        SELECT * INTO now_seen FROM ledger.lock_holder(key);
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

CREATE OR REPLACE FUNCTION end_frozen_append() RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ledger.end_frozen(7308604896899097444)
$$;

CREATE OR REPLACE FUNCTION take_rebuild_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '250ms' AS $$
BEGIN
    LOOP
        BEGIN
            PERFORM pg_advisory_lock(7308604896899097448);
            RETURN;
        EXCEPTION
            WHEN lock_not_available THEN
                IF NOT ledger.is_held_by_right(7308604896899097448, 'ledger.begin_rebuild(text[])') THEN
                    RAISE EXCEPTION 'Rebuilds take turns, and somebody who may not rebuild holds their lock (%); end that.', (
                        SELECT string_agg(concat_ws(', ', nullif(holder, ''), 'process ' || pid), ' and ')
                        FROM ledger.lock_holders(7308604896899097448)
                        WHERE granted
                    ) USING ERRCODE = 'JL004';
                END IF;
        END;
    END LOOP;
END
$$;

-- What cannot be taken out of JSON, such as the character NUL, is told as nothing.
CREATE OR REPLACE FUNCTION read_json(state bytea) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM convert_from(state, 'UTF8')::jsonb;
    RETURN convert_from(state, 'UTF8')::json;
EXCEPTION
    WHEN data_exception OR syntax_error_or_access_rule_violation OR program_limit_exceeded THEN RETURN NULL;
END
$$;

-- Whether two rows say the same, though perhaps in another order. What no order can be told of, since jsonb cannot hold it,
-- is the same where its text is.
CREATE FUNCTION say_the_same(one text, other text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN one::jsonb IS NOT DISTINCT FROM other::jsonb;
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN RETURN one IS NOT DISTINCT FROM other;
END
$$;

-- A table that is built anew has the options of the columns of the live one, before it is looked at: how many values a
-- column is taken to have.
CREATE OR REPLACE FUNCTION analyze_rebuild() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT built.relname, live.attname, live.attoptions
        FROM pg_class AS built
        JOIN pg_attribute AS live ON live.attrelid = to_regclass(format('projections.%I', built.relname))
        WHERE built.relnamespace = 'projections_rebuild'::regnamespace AND built.relkind = 'r'
            AND live.attnum > 0 AND NOT live.attisdropped AND live.attoptions IS NOT NULL
    LOOP
        EXECUTE format(
            'ALTER TABLE projections_rebuild.%I ALTER %I SET (%s)',
            part.relname, part.attname, array_to_string(part.attoptions, ', ')
        );
    END LOOP;
    FOR part IN
        SELECT relname FROM pg_class WHERE relnamespace = 'projections_rebuild'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ANALYZE projections_rebuild.%I', part.relname);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION
    lock_holders(bigint), lock_holder(bigint), end_frozen(bigint)
FROM PUBLIC;
