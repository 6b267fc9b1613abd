-- The views: derived from events alone, in whichever schema the search path names first.

CREATE TABLE tracking (
    view text PRIMARY KEY,
    version integer NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE job_status (
    job text COLLATE "C" PRIMARY KEY,
    type text NOT NULL,
    parent text COLLATE "C",
    root text COLLATE "C" NOT NULL,
    depth integer NOT NULL,
    retry_of text COLLATE "C",
    required boolean NOT NULL,
    cancellable boolean NOT NULL,
    end_action text NOT NULL,
    phase text NOT NULL,
    outcome text,
    cancel_requested boolean NOT NULL,
    contact_lost boolean NOT NULL,
    held boolean NOT NULL,
    held_by text,
    expired boolean NOT NULL,
    disputed boolean NOT NULL,
    residue boolean NOT NULL,
    executor text,
    external_id text,
    token text,
    raw text,
    progress json,
    params json,
    error json,
    result json,
    evidence json,
    warnings json,
    retention json,
    actor text,
    reason text,
    owner text,
    epoch bigint,
    planned_at timestamptz NOT NULL,
    started_at timestamptz,
    closed_at timestamptz,
    estimated_end timestamptz,
    deadline timestamptz,
    last_event text NOT NULL,
    last_at timestamptz NOT NULL,
    progress_at timestamptz,
    closed_recorded_at timestamptz,
    recorded_at timestamptz NOT NULL,
    planned_position bigint NOT NULL,
    closed_position bigint,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX job_status_parent ON job_status (parent, planned_position) WHERE parent IS NOT NULL;
CREATE INDEX job_status_external ON job_status (executor, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX job_status_active ON job_status (planned_position) WHERE phase <> 'closed' OR outcome = 'unknown';
CREATE INDEX job_status_due ON job_status (planned_position) WHERE end_action = 'owner' AND phase NOT IN ('closing', 'closed');
CREATE INDEX job_status_live ON job_status (planned_position) WHERE NOT expired;
CREATE INDEX job_status_tree ON job_status (root) WHERE NOT expired;

CREATE TABLE running_jobs (
    job text COLLATE "C" NOT NULL,
    root text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    access text NOT NULL,
    from_position bigint NOT NULL,
    since timestamptz NOT NULL,
    to_position bigint,
    until timestamptz,
    PRIMARY KEY (job, entity_type, entity_id, role, from_position)
) WITH (fillfactor = 80);

CREATE INDEX running_jobs_open ON running_jobs (entity_type, entity_id, access, from_position) WHERE to_position IS NULL;
CREATE INDEX running_jobs_past ON running_jobs (entity_type, entity_id, from_position);

-- A job with what it touches: what it holds, what it held when it closed, and what it made; not what it let go before.
CREATE VIEW job_view AS
SELECT status.*, touched.entities, now() AS asked_at
FROM job_status AS status
LEFT JOIN LATERAL (
    SELECT json_agg(
        json_build_object('type', entity_type, 'id', entity_id, 'role', role, 'access', access)
        ORDER BY from_position, entity_type, entity_id, role
    ) AS entities
    FROM running_jobs
    WHERE
        running_jobs.job = status.job
        AND (to_position IS NULL OR to_position = from_position OR to_position = status.closed_position)
) AS touched ON true;

-- One row a tree in the live views: when its last job closed, the policy it was planned with, and what keeps it. A field
-- of a policy that is not said has the default of `ledger.domain.retention.Retention`, which may never change.
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
