-- What the followed view says of the jobs that `loaded.load` puts on record: each was active, by itself and on its disk,
-- from its plan to its end, all at one time. The level of a fork is the place of the highest bit in which its ends differ.
INSERT INTO history.activity (
    entity_type, entity_id, job, from_position, to_position, since, until, position_fork, time_fork
)
SELECT
    place.entity_type, place.entity_id, job, from_position, to_position, since, until,
    (to_position - 1) >> fork.level << fork.level, NULL
FROM projections.running_jobs
CROSS JOIN LATERAL (VALUES ('', ''), (entity_type, entity_id)) AS place (entity_type, entity_id)
CROSS JOIN LATERAL (
    SELECT length(ltrim(((from_position - 1) # (to_position - 1))::bit(63)::text, '0')) - 1 AS level
) AS fork
ORDER BY from_position
