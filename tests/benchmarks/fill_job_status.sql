-- What the projection says of the jobs that `loaded.load` puts on record, without folding them one by one.
INSERT INTO projections.job_status (
    job, type, root, depth, required, end_action, phase, outcome, cancel_requested, contact_lost, held, expired, disputed,
    executor, external_id, progress, actor, last_at, closed_recorded_at, planned_position, version, document, entities
)
SELECT
    shown.job, plan.type, plan.root, 1, true, 'none', shown.phase,
    CASE WHEN ended.stream IS NOT NULL THEN 'succeeded' END, false, false, false, false, false,
    start.executor, start.external_id, shown.progress, plan.actor, shown.last_at, ended.recorded_at, planned.position,
    shown.version,
    (
        '{"job":"' || shown.job || '","type":"' || plan.type || '","root":"' || plan.root
        || '","phase":"' || shown.phase || '","executor":"' || start.executor
        || '","external_id":"' || start.external_id || '","actor":"' || plan.actor
        || '","planned_at":"' || plan.at || '","started_at":"' || start.at
        || '","last_event":"' || CASE WHEN ended.stream IS NULL THEN 'started' ELSE 'succeeded' END
        || '","last_at":"' || coalesce(ended.said ->> 'at', start.at)
        || '","planned_position":' || planned.position || ',"version":' || shown.version
        || ',"position":' || shown.position
        || coalesce(
            ',"outcome":"succeeded","result":' || (ended.said -> 'result')::text
            || ',"closed_at":"' || (ended.said ->> 'at') || '","closed_position":' || ended.position, ''
        )
        || coalesce(',"progress":' || shown.progress || ',"progress_at":"' || (progressed.said ->> 'at') || '"', '')
        || '}'
    )::json,
    json_build_array(json_build_object(
        'type', entity.type, 'id', entity.id, 'role', 'target', 'access', entity.access
    ))
FROM told AS planned
JOIN told AS started ON started.stream = planned.stream AND started.version = 2
LEFT JOIN told AS progressed
    ON progressed.stream = planned.stream AND progressed.version = %(events_each)s - 1 AND progressed.version > 2
LEFT JOIN told AS ended ON ended.stream = planned.stream AND ended.version = %(events_each)s
CROSS JOIN LATERAL json_to_record(planned.said) AS plan (type text, root text, actor text, at text, entities json)
CROSS JOIN LATERAL json_to_record(plan.entities -> 0) AS entity (type text, id text, access text)
CROSS JOIN LATERAL json_to_record(started.said) AS start (executor text, external_id text, at text)
CROSS JOIN LATERAL (
    SELECT
        substr(planned.stream, 5) AS job,
        CASE WHEN ended.stream IS NULL THEN 'running' ELSE 'closed' END AS phase,
        coalesce(ended.at, started.at) AS last_at,
        coalesce(ended.version, started.version) AS version,
        coalesce(ended.position, started.position) AS position,
        CASE
            WHEN progressed.stream IS NOT NULL
            THEN format(
                '{"done":%%s,"total":%%s}', progressed.said ->> 'done', progressed.said ->> 'total'
            )::json
        END AS progress
) AS shown
WHERE planned.version = 1
ORDER BY planned.position
