-- What is found, each event from the ledger itself, with the position to which the answer is true even where it is empty.
SELECT
    reached.position AS reached,
    e.position, e.parent, e.type, e.actor, e.owner, e.executor, e.seconds, e.revised_position,
    s.originator_id, s.originator_version, s.topic, s.state, s.notification_id,
    greatest(least(s.recorded_at, '9999-12-31T23:59:59.999999Z'), '0001-01-01T00:00:00Z') AS recorded_at,
    j.entities
FROM (SELECT history_reached AS position) AS reached
LEFT JOIN (
    (found_positions) AS found
    JOIN history.entries AS e ON e.position = found.position
    JOIN ledger.stored_events AS s ON s.notification_id = found.position
    LEFT JOIN history.jobs AS j ON j.job = e.job
) ON true
ORDER BY e.position
