-- Whoever inserts, by whatever program, wakes those who follow the ledger.

CREATE OR REPLACE FUNCTION place_append() RETURNS trigger
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
    PERFORM pg_notify('stored_events', '');
    RETURN NULL;
END
$$;
