-- The rows that are no events, or stand out of turn: each spoils its own stream, and no other.
CREATE TABLE IF NOT EXISTS damaged (
    position bigint PRIMARY KEY,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    why text NOT NULL
);

-- What had been taken in before this was looked at. What cannot be read had not been.
INSERT INTO damaged
SELECT notification_id, originator_id, originator_version, topic, format(
    '%s version %s must follow version %s, and nothing before it is that.',
    originator_id, originator_version, originator_version - 1
)
FROM ledger.stored_events AS event
WHERE notification_id <= (SELECT max(position) FROM tracking WHERE view = 'job_status')
    AND originator_version <> 1
    AND NOT EXISTS (
        SELECT
        FROM ledger.stored_events AS earlier
        WHERE earlier.originator_id = event.originator_id
            AND earlier.originator_version = event.originator_version - 1
            AND earlier.notification_id < event.notification_id
    )
ON CONFLICT DO NOTHING;
UPDATE job_status SET document = (document::jsonb || jsonb_build_object(
    'damaged', jsonb_build_object('position', first.position, 'version', first.version, 'why', first.why)
))::json
FROM (SELECT DISTINCT ON (stream) * FROM damaged ORDER BY stream, position) AS first
WHERE 'job:' || job = first.stream;
