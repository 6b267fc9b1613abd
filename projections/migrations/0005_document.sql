-- A job is shown by its document and what it touches, as they stand; in columns is what questions ask of many jobs.

DROP VIEW job_view;
DROP VIEW job_expiry;

CREATE TABLE job_document (
    job text COLLATE "C" NOT NULL,
    type text NOT NULL,
    parent text COLLATE "C",
    root text COLLATE "C" NOT NULL,
    depth integer NOT NULL,
    retry_of text COLLATE "C",
    required boolean NOT NULL,
    end_action text NOT NULL,
    phase text NOT NULL,
    outcome text,
    cancel_requested boolean NOT NULL,
    contact_lost boolean NOT NULL,
    held boolean NOT NULL,
    held_by text,
    expired boolean NOT NULL,
    disputed boolean NOT NULL,
    executor text,
    external_id text,
    token text,
    progress json,
    retention json,
    actor text,
    owner text,
    epoch bigint,
    deadline timestamptz,
    last_at timestamptz NOT NULL,
    closed_recorded_at timestamptz,
    planned_position bigint NOT NULL,
    version bigint NOT NULL,
    document json NOT NULL,
    entities json
) WITH (fillfactor = 80);

-- A document has every field that is known, times as RFC 3339 has them in UTC. A job touches what it holds, what it held
-- when it closed, and what it made; not what it let go before.
INSERT INTO job_document
SELECT
    job, type, parent, root, depth, retry_of, required, end_action, phase, outcome, cancel_requested, contact_lost,
    held, held_by, expired, disputed, executor, external_id, token, progress, retention, actor, owner, epoch, deadline,
    last_at, closed_recorded_at, planned_position, version, said.document, touched.entities
FROM job_status AS status
CROSS JOIN LATERAL (
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
) AS said
CROSS JOIN LATERAL (
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
) AS touched;

DROP TABLE job_status;
ALTER TABLE job_document RENAME TO job_status;
ALTER TABLE job_status ADD PRIMARY KEY (job);

CREATE INDEX job_status_parent ON job_status (parent, planned_position) WHERE parent IS NOT NULL;
CREATE INDEX job_status_external ON job_status (executor, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX job_status_token ON job_status (token) WHERE token IS NOT NULL;
CREATE INDEX job_status_active ON job_status (planned_position) WHERE phase <> 'closed' OR outcome = 'unknown';
CREATE INDEX job_status_due ON job_status (planned_position) WHERE end_action = 'owner' AND phase NOT IN ('closing', 'closed');
CREATE INDEX job_status_live ON job_status (planned_position) WHERE NOT expired;
CREATE INDEX job_status_tree ON job_status (root) WHERE NOT expired;

-- The same view as before: a field of a policy that is not said has the default of `ledger.domain.retention.Retention`,
-- which may never change.
CREATE VIEW job_expiry AS
SELECT
    tree.root,
    top.type,
    coalesce(top.actor, '') AS actor,
    top.retention IS NOT NULL AS has_policy,
    make_interval(secs => coalesce((top.retention ->> 'keep_for')::float8, 7776000)) AS keep_for,
    (top.retention ->> 'keep_at_most')::bigint AS keep_at_most,
    make_interval(secs => coalesce((top.retention ->> 'dwell')::float8, 0)) AS dwell,
    tree.jobs,
    tree.closed_recorded_at AS closed_at,
    tree.done AND NOT tree.unresolved AS closed,
    tree.held,
    tree.held_by
FROM (
    SELECT
        root,
        count(*) AS jobs,
        max(closed_recorded_at) AS closed_recorded_at,
        bool_and(phase = 'closed') AS done,
        bool_or(outcome IS NOT DISTINCT FROM 'unknown') AS unresolved,
        bool_or(held) AS held,
        min(held_by) FILTER (WHERE held) AS held_by
    FROM job_status
    WHERE NOT expired
    GROUP BY root
) AS tree
JOIN job_status AS top ON top.job = tree.root;
