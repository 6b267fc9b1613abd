-- Whoever may append may say that a loss was looked at: it is those who append that hear of it first. What else the ledger
-- says of itself stays for whoever may seal.
INSERT INTO topics (topic) VALUES ('ledger.loss_accepted.v1');

CREATE OR REPLACE FUNCTION check_append() RETURNS trigger
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
                WHERE originator_id LIKE 'ledger:%'
                    AND topic <> 'ledger.loss_accepted.v1'
                    AND NOT has_column_privilege('ledger.checkpoints', 'note', 'INSERT')
            ) AS not_allowed,
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
    ELSIF found.not_allowed IS NOT NULL THEN
        RAISE EXCEPTION 'What the ledger says of itself is for whoever may seal to say, and not for %.', current_user
            USING ERRCODE = 'JL002';
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
