-- The jobs that may have been active on each entity at a time by the callers' clocks. OFFSET 0 keeps the planner to the
-- indexes, whatever it takes the size of a young table for.
SELECT asking.reached, found.*
FROM (SELECT activity_reached AS reached) AS asking
LEFT JOIN LATERAL (
    SELECT asked.type AS entity_type, asked.id AS entity_id, held.job, held.from_position
    FROM unnest(%(types)s::text[], %(ids)s::text[]) AS asked (type, id)
    CROSS JOIN LATERAL (
        SELECT open.job, open.from_position
        FROM history.activity AS open
        WHERE
            open.entity_type = asked.type
            AND open.entity_id = asked.id
            AND open.to_position IS NULL
            AND open.since <= %(at)s
        UNION ALL
        SELECT past.job, past.from_position
        FROM unnest(%(upto)s::bigint[]) AS node (fork)
        CROSS JOIN LATERAL (
            SELECT job, from_position
            FROM history.activity
            WHERE
                entity_type = asked.type
                AND entity_id = asked.id
                AND time_fork = node.fork
                AND until > %(at)s
                AND since <= %(at)s
            OFFSET 0
        ) AS past
        UNION ALL
        SELECT past.job, past.from_position
        FROM unnest(%(beyond)s::bigint[]) AS node (fork)
        CROSS JOIN LATERAL (
            SELECT job, from_position
            FROM history.activity
            WHERE
                entity_type = asked.type
                AND entity_id = asked.id
                AND time_fork = node.fork
                AND since <= %(at)s
            OFFSET 0
        ) AS past
    ) AS held
) AS found ON true
