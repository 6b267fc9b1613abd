-- What the projection says of the jobs that `loaded.load` puts on record, without folding them one by one.
INSERT INTO projections.job_status (
    job, type, root, required, end_action, phase, outcome, held, expired, executor, external_id, actor, last_at,
    closed_recorded_at, planned_position, position, document
)
SELECT
    substr(planned.stream, 5), planned.said ->> 'type', planned.said ->> 'root', true, 'none', shown.phase,
    CASE WHEN ended.stream IS NOT NULL THEN 'succeeded' END, false, false,
    started.said ->> 'executor', started.said ->> 'external_id', planned.said ->> 'actor', shown.last_at,
    ended.recorded_at, planned.position, shown.position,
    (
        SELECT json_object_agg(key, value)
        FROM json_each(json_build_object(
            'job', substr(planned.stream, 5),
            'type', planned.said ->> 'type',
            'root', planned.said ->> 'root',
            'depth', 1,
            'required', true,
            'cancellable', true,
            'end_action', 'none',
            'phase', shown.phase,
            'outcome', CASE WHEN ended.stream IS NOT NULL THEN 'succeeded' END,
            'cancel_requested', false,
            'contact_lost', false,
            'held', false,
            'expired', false,
            'disputed', false,
            'residue', false,
            'executor', started.said ->> 'executor',
            'external_id', started.said ->> 'external_id',
            'progress', shown.progress,
            'result', ended.said -> 'result',
            'actor', planned.said ->> 'actor',
            'entities', json_build_array(json_build_object(
                'type', planned.said #>> '{entities,0,type}',
                'id', planned.said #>> '{entities,0,id}',
                'role', 'target',
                'access', planned.said #>> '{entities,0,access}'
            )),
            'planned_at', planned.said ->> 'at',
            'started_at', started.said ->> 'at',
            'closed_at', ended.said ->> 'at',
            'progress_at', progressed.said ->> 'at',
            'last_event', CASE WHEN ended.stream IS NULL THEN 'started' ELSE 'succeeded' END,
            'last_at', coalesce(ended.said ->> 'at', started.said ->> 'at'),
            'planned_position', planned.position,
            'closed_position', ended.position,
            'version', shown.version,
            'position', shown.position
        ))
        WHERE value::text <> 'null'
    )
FROM told AS planned
JOIN told AS started ON started.stream = planned.stream AND started.version = 2
LEFT JOIN told AS progressed
    ON progressed.stream = planned.stream AND progressed.version = %(events_each)s - 1 AND progressed.version > 2
LEFT JOIN told AS ended ON ended.stream = planned.stream AND ended.version = %(events_each)s
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN ended.stream IS NULL THEN 'running' ELSE 'closed' END AS phase,
        coalesce(ended.at, started.at) AS last_at,
        coalesce(ended.version, started.version) AS version,
        coalesce(ended.position, started.position) AS position,
        CASE
            WHEN progressed.stream IS NOT NULL
            THEN json_build_object('done', progressed.said -> 'done', 'total', progressed.said -> 'total')
        END AS progress
) AS shown
WHERE planned.version = 1
ORDER BY planned.position
