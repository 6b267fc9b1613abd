-- What the projection says of the jobs that `loaded.load` puts on record, without folding them one by one.
INSERT INTO projections.job_status (
    job, type, root, depth, required, cancellable, end_action, phase, outcome, cancel_requested, contact_lost, held,
    expired, disputed, residue, executor, external_id, progress, result, actor, planned_at, started_at, closed_at,
    last_event, last_at, progress_at, closed_recorded_at, recorded_at, planned_position, closed_position, version, position
)
SELECT
    substr(planned.stream, 5), planned.said ->> 'type', planned.said ->> 'root', 1, true, true, 'none',
    CASE WHEN ended.stream IS NULL THEN 'running' ELSE 'closed' END,
    CASE WHEN ended.stream IS NOT NULL THEN 'succeeded' END,
    false, false, false, false, false, false,
    started.said ->> 'executor', started.said ->> 'external_id',
    CASE
        WHEN progressed.stream IS NOT NULL
        THEN format('{"done":%%s,"total":%%s}', progressed.said ->> 'done', progressed.said ->> 'total')::json
    END,
    ended.said -> 'result',
    planned.said ->> 'actor', planned.at, started.at, ended.at,
    CASE WHEN ended.stream IS NULL THEN 'started' ELSE 'succeeded' END,
    coalesce(ended.at, started.at), progressed.at, ended.recorded_at, coalesce(ended.recorded_at, started.recorded_at),
    planned.position, ended.position, coalesce(ended.version, started.version),
    coalesce(ended.position, started.position)
FROM told AS planned
JOIN told AS started ON started.stream = planned.stream AND started.version = 2
LEFT JOIN told AS progressed
    ON progressed.stream = planned.stream AND progressed.version = %(events_each)s - 1 AND progressed.version > 2
LEFT JOIN told AS ended ON ended.stream = planned.stream AND ended.version = %(events_each)s
WHERE planned.version = 1
ORDER BY planned.position
