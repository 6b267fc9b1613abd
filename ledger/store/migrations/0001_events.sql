-- The append-only table of events, in the library's columns, and the rules that PostgreSQL itself holds.

CREATE TABLE stored_events (
    originator_id text COLLATE "C" NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamptz NOT NULL DEFAULT current_setting('jobledger.recorded_at')::timestamptz,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);

CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
CREATE INDEX stored_events_recorded_at_idx ON stored_events USING brin (recorded_at);

CREATE TYPE stored_event_text AS (
    originator_id text,
    originator_version bigint,
    topic text,
    state bytea
);

-- Positions are given in commit order and without gaps: whoever inserts, by whatever program, first waits for the
-- append before it to end, then starts behind the last position that was committed.
CREATE FUNCTION place_append() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(7308604896899097444);
    SELECT notification_id, recorded_at INTO last FROM ledger.stored_events ORDER BY notification_id DESC LIMIT 1;
    PERFORM setval('ledger.stored_events_notification_id_seq', coalesce(last.notification_id, 0) + 1, false);
    PERFORM set_config(
        'jobledger.recorded_at',
        to_char(
            greatest(clock_timestamp(), last.recorded_at) AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
        ),
        true
    );
    RETURN NULL;
END
$$;

CREATE TRIGGER place_append BEFORE INSERT ON stored_events
FOR EACH STATEMENT EXECUTE FUNCTION place_append();
ALTER TABLE stored_events ENABLE ALWAYS TRIGGER place_append;

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'Events are never changed: % on %.% is refused.', tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'JL001';
END
$$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON stored_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE stored_events ENABLE ALWAYS TRIGGER refuse_change;

-- Each ledger has a name of its own, so that a position can be held against the right one.
CREATE TABLE identity (
    ledger uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
INSERT INTO identity DEFAULT VALUES;

CREATE VIEW events AS
SELECT
    notification_id AS position,
    split_part(originator_id, ':', 1) AS stream_of,
    substr(originator_id, strpos(originator_id, ':') + 1) AS name,
    originator_version AS version,
    topic,
    recorded_at,
    convert_from(state, 'UTF8')::json AS said
FROM stored_events;
