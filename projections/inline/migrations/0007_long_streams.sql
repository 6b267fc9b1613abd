-- A stream is read no further than it is short: of a longer one, the views tell what it has come to and what it has told.

-- Where in a long stream something may have been told: 4 bytes of the name of the stream and of an id or a content, and
-- the time of what has one, else `-infinity`.
CREATE TABLE told (
    at timestamptz NOT NULL,
    version bigint NOT NULL,
    stream integer NOT NULL,
    sign integer NOT NULL,
    PRIMARY KEY (stream, at, sign, version)
);

-- A job as it was at every 512th of its events.
CREATE TABLE snapshots (
    job text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    document json NOT NULL,
    entities json NOT NULL,
    PRIMARY KEY (job, position)
);

-- A document says who has taken the end action of a job that is closing. Where there is no job, the right to read events
-- may yet be granted.
DO $$
BEGIN
    IF EXISTS (SELECT FROM job_status WHERE phase = 'closing') THEN
        UPDATE job_status AS status SET document = coalesce((
            SELECT (
                rtrim(left(rtrim(status.document::text), -1)) || ',"claimed_by":' || json_build_array(
                    coalesce(said.closing ->> 'owner', ''),
                    CASE
                        WHEN (said.closing -> 'epoch')::text ~ '^[1-9][0-9]{0,17}$' THEN (said.closing ->> 'epoch')::bigint
                        ELSE 0
                    END
                )::text || '}'
            )::json
            FROM (
                SELECT ledger.read_json(state) AS closing
                FROM ledger.stored_events
                WHERE originator_id = 'job:' || status.job AND topic = 'job.closing.v1'
                    AND ledger.read_json(state) IS NOT NULL
                ORDER BY originator_version DESC
                LIMIT 1
            ) AS said
        ), document)
        WHERE phase = 'closing';
    END IF;
END
$$;
