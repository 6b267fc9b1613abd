-- A job is shown by its document and what it touches, as they stand; in columns is what questions ask of many jobs.

DROP VIEW job_view;

ALTER TABLE job_status ADD document json, ADD entities json;

-- A document has every field that is known, times as RFC 3339 has them in UTC. A job touches what it holds, what it held
-- when it closed, and what it made; not what it let go before.
UPDATE job_status AS status SET document = (
    SELECT json_object_agg(key, CASE WHEN moment IS NULL THEN value ELSE to_json(
        to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS') || coalesce(nullif(to_char(moment, '.US'), '.000000'), '') || 'Z'
    ) END) AS document
    FROM json_each(row_to_json(status))
    CROSS JOIN LATERAL (
        SELECT CASE WHEN key IN (
            'planned_at', 'started_at', 'closed_at', 'estimated_end', 'deadline', 'last_at', 'progress_at'
        ) THEN (value #>> '{}')::timestamptz AT TIME ZONE 'UTC' END AS moment
    ) AS timed
    WHERE value::text <> 'null' AND key NOT IN ('recorded_at', 'closed_recorded_at')
), entities = (
    SELECT coalesce(
        json_agg(
            json_build_object('type', entity_type, 'id', entity_id, 'role', role, 'access', access)
            ORDER BY began, entity_type, entity_id, role, access COLLATE "C"
        ),
        '[]'
    ) AS entities
    FROM (
        SELECT entity_type, entity_id, role, access, min(from_position) AS began
        FROM running_jobs
        WHERE
            running_jobs.job = status.job
            AND (to_position IS NULL OR to_position = from_position OR to_position = status.closed_position)
        GROUP BY entity_type, entity_id, role, access
    ) AS kept
);

ALTER TABLE job_status
    ALTER document SET NOT NULL,
    DROP cancellable,
    DROP residue,
    DROP raw,
    DROP params,
    DROP error,
    DROP result,
    DROP evidence,
    DROP warnings,
    DROP reason,
    DROP planned_at,
    DROP started_at,
    DROP closed_at,
    DROP estimated_end,
    DROP last_event,
    DROP progress_at,
    DROP recorded_at,
    DROP closed_position,
    DROP position;
