-- The interval of each job on its disk, from the plan to the end.
INSERT INTO projections.running_jobs (
    job, root, entity_type, entity_id, role, access, from_position, since, to_position, until
)
SELECT
    substr(planned.stream, 5), planned.said ->> 'root', planned.said #>> '{entities,0,type}',
    planned.said #>> '{entities,0,id}', 'target', planned.said #>> '{entities,0,access}', planned.position, planned.at,
    ended.position, ended.at
FROM told AS planned
LEFT JOIN told AS ended ON ended.stream = planned.stream AND ended.version = %(events_each)s
WHERE planned.version = 1
ORDER BY planned.position
