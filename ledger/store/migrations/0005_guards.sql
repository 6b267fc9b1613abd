-- What whoever may append may not do: choose a time or a position, leave a gap, put an event out of its turn in its
-- stream, or store what is no event. These guards bind everybody but members of the role that owns the events: a restore
-- and what is replicated keep their bytes, positions and times.

-- Every topic that some release has stored events under.
CREATE TABLE topics (topic text COLLATE "C" PRIMARY KEY);
INSERT INTO topics (topic) VALUES
    ('job.planned.v1'), ('job.refused.v1'), ('job.submitted.v1'), ('job.accepted.v1'), ('job.started.v1'),
    ('job.progressed.v1'), ('job.suspended.v1'), ('job.resumed.v1'), ('job.cancel_requested.v1'), ('job.attached.v1'),
    ('job.detached.v1'), ('job.contact_lost.v1'), ('job.contact_regained.v1'), ('job.closing.v1'), ('job.adopted.v1'),
    ('job.succeeded.v1'), ('job.failed.v1'), ('job.cancelled.v1'), ('job.abandoned.v1'), ('job.lost.v1'),
    ('job.resolved.v1'), ('job.disputed.v1'), ('job.late.v1'), ('job.hold_placed.v1'), ('job.hold_lifted.v1'),
    ('job.expired.v1'), ('owner.started.v1'), ('owner.fenced.v1');

-- Those who append pass one at a time, and so do those who seal, and who let followed views catch up. Each gate is a
-- view, since no VACUUM or ANALYZE ever locks one; to lock it takes the rights of its owner, so that nobody holds it but
-- through the functions below.
CREATE VIEW gate AS SELECT 1 AS append;
CREATE VIEW seal_gate AS SELECT 1 AS seal;
CREATE VIEW follow_gate AS SELECT 1 AS follow;

-- Older releases wait for advisory locks, which anybody may hold who may connect. Each is taken in front of its gate, so
-- that two releases exclude each other, and passed by where somebody holds it who may not come to the gate.
CREATE FUNCTION take_append_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7308604896899097444) THEN
        PERFORM ledger.wait_for_lock(7308604896899097444, 'ledger.take_append_lock()', 'ledger.gate');
    END IF;
    LOCK TABLE ledger.gate IN EXCLUSIVE MODE;
END
$$;

CREATE FUNCTION take_seal_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7308604896899097446) THEN
        PERFORM ledger.wait_for_lock(7308604896899097446, 'ledger.take_seal_lock()', 'ledger.seal_gate');
    END IF;
    LOCK TABLE ledger.seal_gate IN EXCLUSIVE MODE;
END
$$;

CREATE FUNCTION take_follow_lock() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(7308604896899097447) THEN
        PERFORM ledger.wait_for_lock(7308604896899097447, 'ledger.take_follow_lock()', 'ledger.follow_gate');
    END IF;
    LOCK TABLE ledger.follow_gate IN EXCLUSIVE MODE;
END
$$;

-- Whether an advisory lock is held by somebody who may call a function; null where nobody holds it.
CREATE FUNCTION is_held_by_right(key bigint, permitting text) RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT bool_or(has_function_privilege(holder.usesysid, permitting, 'EXECUTE'))
    FROM pg_locks AS held
    JOIN pg_stat_activity AS holder USING (pid)
    WHERE
        held.locktype = 'advisory'
        AND held.granted
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (held.classid::bigint << 32) + held.objid::bigint = key
        AND held.objsubid = 1
$$;

-- Waits for an advisory lock as long as `lock_timeout` says, unless it is held by somebody who may not call a function. It
-- waits in short spells, for meanwhile another may have come to hold it. Whoever has passed the gate already waits no more:
-- who holds the advisory lock then waits at the gate.
CREATE FUNCTION wait_for_lock(key bigint, permitting text, gate regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told text := current_setting('lock_timeout');
    bound interval := nullif(told::interval, interval '0');
    began timestamptz := clock_timestamp();
    spell interval := interval '20 ms';
BEGIN
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', ceil(extract(epoch FROM least(spell, bound)) * 1000)::text, true);
            PERFORM pg_advisory_xact_lock(key);
            PERFORM set_config('lock_timeout', told, true);
            RETURN;
        EXCEPTION
            WHEN lock_not_available THEN
                IF clock_timestamp() >= began + bound THEN
                    RAISE;
                END IF;
        END;
        spell := interval '250 ms';
        IF NOT ledger.is_held_by_right(key, permitting) OR EXISTS (
            SELECT FROM pg_locks WHERE relation = gate AND mode = 'ExclusiveLock' AND granted AND pid = pg_backend_pid()
        ) THEN
            RETURN;
        END IF;
    END LOOP;
END
$$;

-- The time of the append that is under way, in microseconds since 1970. Only the trigger sets it; a setting, which this
-- was before, could be set again by an expression in the statement itself.
CREATE SEQUENCE append_time;

CREATE OR REPLACE FUNCTION place_append() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
    at timestamptz;
BEGIN
    PERFORM ledger.take_append_lock();
    SELECT notification_id, recorded_at INTO last FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1;
    PERFORM setval('ledger.stored_events_notification_id_seq', coalesce(last.notification_id, 0) + 1, false);
    at := clock_timestamp();
    -- A clock that went back is waited for; a time further ahead than any clock goes wrong is not believed.
    IF last.recorded_at < at + interval '1 day' THEN
        at := greatest(at, last.recorded_at);
    END IF;
    PERFORM setval('ledger.append_time', (extract(epoch FROM at) * 1000000)::bigint);
    -- For whoever listens; one who listens and does not read must not fill what all share.
    IF pg_notification_queue_usage() < 0.01 THEN
        PERFORM pg_notify('stored_events', '');
    END IF;
    RETURN NULL;
END
$$;

ALTER TABLE stored_events ALTER recorded_at
SET DEFAULT timestamptz 'epoch' + currval('ledger.append_time') * interval '1 microsecond';

-- In one statement, for each costs an append of one event as much as all that this one asks.
CREATE FUNCTION check_append() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    found record;
BEGIN
    SELECT *, first = 1 OR EXISTS (SELECT FROM ledger.stored_events WHERE notification_id = first - 1) AS joined
    INTO found
    FROM (
        SELECT
            count(notification_id) AS events,
            min(notification_id) AS first,
            max(notification_id) AS last,
            min(notification_id) FILTER (
                WHERE NOT CASE split_part(originator_id, ':', 1)
                    WHEN 'job' THEN length(originator_id) BETWEEN 5 AND 204
                    WHEN 'owner' THEN length(originator_id) BETWEEN 7 AND 262
                    WHEN 'ledger' THEN originator_id ~ '^ledger:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                    ELSE false
                END
            ) AS misnamed,
            min(notification_id) FILTER (
                WHERE split_part(topic, '.', 1) <> split_part(originator_id, ':', 1)
                    OR NOT EXISTS (SELECT FROM ledger.topics AS known WHERE known.topic = placed.topic OFFSET 0)
            ) AS foreign_topic,
            min(notification_id) FILTER (
                WHERE originator_version <> 1 AND NOT EXISTS (
                    SELECT FROM ledger.stored_events AS before
                    WHERE
                        before.originator_id = placed.originator_id
                        AND before.originator_version = placed.originator_version - 1
                        AND before.notification_id < placed.notification_id
                )
            ) AS out_of_turn,
            min(notification_id) FILTER (
                WHERE CASE
                    WHEN octet_length(state) > 134217728 THEN true
                    ELSE json_typeof(convert_from(state, 'UTF8')::json) <> 'object'
                END
            ) AS no_object
        FROM (
            SELECT pg_has_role(relowner, 'MEMBER') AS owns FROM pg_class WHERE oid = tg_relid OFFSET 0
        ) AS who
        LEFT JOIN placed ON NOT who.owns
    ) AS seen;
    IF found.events = 0 THEN
        RETURN NULL;
    END IF;
    IF found.last - found.first + 1 <> found.events OR NOT found.joined THEN
        RAISE EXCEPTION 'Positions must follow one another without a gap, and % events would have % to %.',
            found.events, found.first, found.last USING ERRCODE = 'JL002';
    ELSIF found.misnamed IS NOT NULL THEN
        RAISE EXCEPTION 'A stream must be named job:, owner: or ledger: and what it is of, and that at position % is not.',
            found.misnamed USING ERRCODE = 'JL002';
    ELSIF found.foreign_topic IS NOT NULL THEN
        RAISE EXCEPTION 'An event must have a known topic of the kind of its stream, and that at position % has not.',
            found.foreign_topic USING ERRCODE = 'JL002';
    ELSIF found.out_of_turn IS NOT NULL THEN
        RAISE EXCEPTION 'Versions must follow one another in a stream from 1 on, and that at position % does not.',
            found.out_of_turn USING ERRCODE = 'JL002';
    ELSIF found.no_object IS NOT NULL THEN
        RAISE EXCEPTION 'An event must be a JSON object of 128 MiB at most, and that at position % is not.',
            found.no_object USING ERRCODE = 'JL002';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER check_append AFTER INSERT ON stored_events
REFERENCING NEW TABLE AS placed
FOR EACH STATEMENT EXECUTE FUNCTION check_append();
ALTER TABLE stored_events ENABLE ALWAYS TRIGGER check_append;

REVOKE ALL ON FUNCTION
    place_append(), check_append(), refuse_change(),
    take_append_lock(), take_seal_lock(), take_follow_lock(),
    is_held_by_right(bigint, text), wait_for_lock(bigint, text, regclass)
FROM PUBLIC;
